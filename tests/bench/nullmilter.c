/* SPDX-License-Identifier: BSD-2-Clause */
/* A milter that adds one header of a signature's size and nothing else: what libmilter itself
 * costs.
 *
 *     nullmilter unix:PATH | inet:PORT@ADDRESS [all-replies]
 */
#include <libmilter/mfapi.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_OCTETS 700

static char value[HEADER_OCTETS + 1];
static char header[] = "DKIM-Signature";
static bool all_replies;

#define QUIET                                                                                      \
    (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA |               \
     SMFIP_NR_HDR | SMFIP_NR_BODY | SMFIP_NOEOH | SMFIP_NOUNKNOWN)

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
                             unsigned long unused_2, unsigned long unused_3,
                             unsigned long *actions_r, unsigned long *steps_r,
                             unsigned long *unused_2_r, unsigned long *unused_3_r)
{
    (void)context;
    (void)unused_2;
    (void)unused_3;
    *actions_r = actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS);
    *steps_r = all_replies ? 0 : steps & QUIET;
    *unused_2_r = *unused_3_r = 0;
    return SMFIS_CONTINUE;
}

static sfsistat quiet(void)
{
    return all_replies ? SMFIS_CONTINUE : SMFIS_NOREPLY;
}

static sfsistat on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
    (void)context;
    (void)name;
    (void)address;
    return quiet();
}

static sfsistat on_name(SMFICTX *context, char *name)
{
    (void)context;
    (void)name;
    return quiet();
}

static sfsistat on_address(SMFICTX *context, char **arguments)
{
    (void)context;
    (void)arguments;
    return quiet();
}

static sfsistat on_data(SMFICTX *context)
{
    (void)context;
    return quiet();
}

static sfsistat on_header(SMFICTX *context, char *name, char *text)
{
    (void)context;
    (void)name;
    (void)text;
    return quiet();
}

static sfsistat on_body(SMFICTX *context, unsigned char *bytes, size_t length)
{
    (void)context;
    (void)bytes;
    (void)length;
    return quiet();
}

static sfsistat on_end(SMFICTX *context)
{
    return smfi_insheader(context, 0, header, value) == MI_SUCCESS ? SMFIS_CONTINUE
                                                                   : SMFIS_TEMPFAIL;
}

int main(int argc, char **argv)
{
    static char name[] = "nullmilter";
    struct smfiDesc milter = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_name,
        .xxfi_envfrom = on_address,
        .xxfi_envrcpt = on_address,
        .xxfi_data = on_data,
        .xxfi_header = on_header,
        .xxfi_body = on_body,
        .xxfi_eom = on_end,
        .xxfi_negotiate = on_negotiate,
    };

    if (argc < 2) {
        fprintf(stderr, "usage: nullmilter unix:PATH | inet:PORT@ADDRESS [all-replies]\n");
        return 64;
    }
    all_replies = argc > 2;
    memset(value, 'x', HEADER_OCTETS);
    /* An MTA connects as a user of its own. */
    (void)umask(0);
    if (smfi_setconn(argv[1]) != MI_SUCCESS || smfi_register(milter) != MI_SUCCESS ||
        smfi_setbacklog(1024) != MI_SUCCESS)
        return 1;
    return smfi_main() == MI_SUCCESS ? 0 : 1;
}
