/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/sandbox.h"

#include "lib/base/count.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A process may have calls of a second architecture, whose numbers mean other things. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#elif defined(__arm__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#else
#error "engine/sandbox.c does not know this architecture's AUDIT_ARCH"
#endif

#ifdef __NR_mmap2
#define MMAP __NR_mmap2
#else
#define MMAP __NR_mmap
#endif

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define END(what) BPF_STMT(BPF_RET | BPF_K, what)
#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), END(SECCOMP_RET_ALLOW)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PROTECTION (offsetof(struct seccomp_data, args) + 2 * sizeof(__u64))
#else
#define PROTECTION (offsetof(struct seccomp_data, args) + 2 * sizeof(__u64) + sizeof(__u32))
#endif

/* Memory that is mapped may not be executed; what else there is to do with it is harmless. */
static const struct sock_filter filter[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    END(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    ALLOW(__NR_read),
    ALLOW(__NR_write),
    ALLOW(__NR_brk),
    ALLOW(__NR_munmap),
    ALLOW(__NR_mremap),
    ALLOW(__NR_madvise),
    ALLOW(__NR_futex),
    ALLOW(__NR_clock_gettime),
    ALLOW(__NR_rt_sigprocmask),
    ALLOW(__NR_rt_sigreturn),
    ALLOW(__NR_sigaltstack),
    ALLOW(__NR_restart_syscall),
    ALLOW(__NR_exit),
    ALLOW(__NR_exit_group),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MMAP, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, PROTECTION),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
    END(SECCOMP_RET_ALLOW),
    END(SECCOMP_RET_KILL_PROCESS),
};

/* The sanitizers' shadow takes terabytes, so that only what is added can be limited. */
static bool limit_memory(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long pages = 0;
    struct rlimit limit;

    if (file == NULL)
        return false;
    if (fscanf(file, "%lu", &pages) != 1)
        errno = EINVAL;
    (void)fclose(file);
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + SANDBOX_MEMORY_MAX;
    limit.rlim_max = limit.rlim_cur;
    return pages > 0 && setrlimit(RLIMIT_AS, &limit) == 0;
}

static bool limit_rest(void)
{
    const struct rlimit none = {0, 0};

    return setrlimit(RLIMIT_CORE, &none) == 0 && setrlimit(RLIMIT_FSIZE, &none) == 0 &&
           setrlimit(RLIMIT_NOFILE, &none) == 0 && setrlimit(RLIMIT_NPROC, &none) == 0;
}

bool sandbox_enter(void)
{
    const struct sock_fprog program = {
        .len = COUNT_OF(filter),
        .filter = (struct sock_filter *)(uintptr_t)filter,
    };

    return syscall(SYS_close_range, 3U, ~0U, 0U) == 0 && limit_memory() && limit_rest() &&
           prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
