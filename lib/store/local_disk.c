/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory's contents on disk. */
#include "lib/store/local_disk.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/store/local_file.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_MS 300 /* between two transactions, at least */

/* Shared with the thread: under the lock. */
struct writer {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool working, stopping;
    unsigned posts; /* calls of on_written() that are on their way */
    struct local_batch *batch; /* to be written; the thread gives it back */
    char *problem;
};

struct local_disk {
    struct loop *loop;
    struct memory *memory;
    struct local_file *file;
    struct writer writer;
    struct map *changed; /* names: the number of the table, then the name */
    struct loop_timer *timer;
    bool timed; /* the timer is set, or a batch is under way */
    struct local_batch *written; /* under way */
    char *problem;
    bool closed; /* and only kept for the calls that are on their way */
};

static void on_written(void *context);

/* --- the thread ----------------------------------------------------------------------- */

static void *work(void *context)
{
    struct local_disk *disk = context;
    struct writer *writer = &disk->writer;

    pthread_mutex_lock(&writer->lock);
    for (;;) {
        while (writer->batch == NULL && !writer->stopping)
            pthread_cond_wait(&writer->wake, &writer->lock);
        if (writer->batch == NULL)
            break;

        struct local_batch *batch = writer->batch;
        char *problem;

        pthread_mutex_unlock(&writer->lock);
        problem = local_file_write(disk->file, batch);
        pthread_mutex_lock(&writer->lock);
        writer->batch = NULL;
        free(writer->problem);
        writer->problem = problem;
        writer->posts++;
        loop_post(disk->loop, on_written, disk);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* Signals are for the threads that wait for them. */
static bool start_thread(struct local_disk *disk)
{
    sigset_t all, before;

    pthread_mutex_init(&disk->writer.lock, NULL);
    pthread_cond_init(&disk->writer.wake, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    disk->writer.working = pthread_create(&disk->writer.thread, NULL, work, disk) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return disk->writer.working;
}

/* --- the loop's side ------------------------------------------------------------------ */

static void pack_change(const void *key, size_t length, void *value, void *context)
{
    const struct local_disk *disk = context;
    char bytes[2 + NOTE_KEY_SIZE]; /* a name ends with a NUL, the map's key does not */
    const struct memory_name name = {(enum memory_table) * (const char *)key, bytes + 1,
                                     length - 1};

    (void)value;
    memcpy(bytes, key, length);
    bytes[length] = '\0';
    local_batch_add(disk->written, disk->memory, &name);
}

static void forget_changes(struct local_disk *disk)
{
    map_free(&disk->changed, NULL);
    disk->changed = map_new();
}

static struct local_batch *take_changes(struct local_disk *disk)
{
    disk->written = local_batch_new();
    map_each(disk->changed, pack_change, disk);
    forget_changes(disk);
    return disk->written;
}

static void set_timer(struct local_disk *disk)
{
    if (!disk->timed)
        loop_timer_start(disk->timer, WRITE_MS);
    disk->timed = true;
}

static void on_timer(void *context)
{
    struct local_disk *disk = context;
    struct local_batch *batch = take_changes(disk);

    pthread_mutex_lock(&disk->writer.lock);
    disk->writer.batch = batch;
    pthread_cond_signal(&disk->writer.wake);
    pthread_mutex_unlock(&disk->writer.lock);
}

static void mark(struct local_disk *disk, const struct memory_name *name)
{
    char key[1 + NOTE_KEY_SIZE];

    if (name->length > NOTE_KEY_SIZE)
        return;
    key[0] = (char)name->table;
    memcpy(key + 1, name->bytes, name->length);
    (void)map_put(disk->changed, key, 1 + name->length, disk);
    set_timer(disk);
}

static void mark_again(const struct memory_name *name, void *context)
{
    mark(context, name);
}

static void settle(struct local_disk *disk)
{
    free(disk->problem);
    pthread_mutex_lock(&disk->writer.lock);
    disk->problem = mem_copy(disk->writer.problem);
    pthread_mutex_unlock(&disk->writer.lock);
    disk->timed = false;
    if (disk->problem != NULL)
        local_batch_each(disk->written, mark_again, disk);
    local_batch_free(&disk->written);
}

static void free_when_last(struct local_disk *disk)
{
    if (disk->writer.posts == 0)
        free(disk);
}

static void on_written(void *context)
{
    struct local_disk *disk = context;

    if (!disk->closed)
        pthread_mutex_lock(&disk->writer.lock);
    disk->writer.posts--;
    if (!disk->closed)
        pthread_mutex_unlock(&disk->writer.lock);
    if (disk->closed) {
        free_when_last(disk);
        return;
    }
    settle(disk);
    if (map_count(disk->changed) > 0)
        set_timer(disk);
}

void local_disk_changed(struct local_disk *disk, const struct call *call)
{
    bool charges = call->operation != CALL_LOOK && call->operation != CALL_NOTE && !call->refused;

    if (call->operation == CALL_RESET)
        mark(disk, &(struct memory_name){MEMORY_USE, call->subject, strlen(call->subject)});
    for (size_t i = 0; i < call->nlimits && charges; i++)
        if (call->limits[i].first)
            mark(disk, &(struct memory_name){MEMORY_USE, call->limits[i].subject,
                                             strlen(call->limits[i].subject)});
    if (charges && *call->message != '\0')
        mark(disk, &(struct memory_name){MEMORY_RECORD, call->message, strlen(call->message)});
    for (size_t i = call->notes.nreads; i < call->notes.count; i++) {
        const struct note_item *item = &call->notes.items[i];
        char key[NOTE_KEY_SIZE];
        size_t length = (size_t)(stpcpy(stpcpy(key, item->subject) + 1, item->kind) - key);

        mark(disk, &(struct memory_name){MEMORY_NOTE, key, length});
    }
}

const char *local_disk_problem(const struct local_disk *disk)
{
    return disk->problem;
}

struct local_disk *local_disk_open(struct loop *loop, const char *path, struct memory *memory,
                                   int64_t now_ms, char **problem_r)
{
    struct local_file *file = local_file_open(path, problem_r);
    struct local_disk *disk;

    if (file == NULL)
        return NULL;
    disk = mem_new(1, sizeof(*disk));
    disk->loop = loop;
    disk->memory = memory;
    disk->file = file;
    disk->changed = map_new();
    disk->timer = loop_timer_new(loop, on_timer, disk);
    *problem_r = local_file_read(file, memory, now_ms);
    if (*problem_r == NULL && !start_thread(disk))
        *problem_r = mem_copy("no thread that writes the store to disk");
    if (*problem_r != NULL)
        local_disk_close(&disk);
    return disk;
}

static void end_thread(struct local_disk *disk)
{
    pthread_mutex_lock(&disk->writer.lock);
    disk->writer.stopping = true;
    pthread_cond_signal(&disk->writer.wake);
    pthread_mutex_unlock(&disk->writer.lock);
    (void)pthread_join(disk->writer.thread, NULL);
    pthread_mutex_destroy(&disk->writer.lock);
    pthread_cond_destroy(&disk->writer.wake);
}

void local_disk_close(struct local_disk **disk)
{
    struct local_disk *old = *disk;

    if (old == NULL)
        return;
    if (old->writer.working) {
        end_thread(old);
        if (old->written != NULL)
            local_batch_free(&old->written);
        free(local_file_write(old->file, take_changes(old)));
        local_batch_free(&old->written);
    }
    loop_timer_free(&old->timer);
    map_free(&old->changed, NULL);
    local_file_close(&old->file);
    free(old->writer.problem);
    free(old->problem);
    old->closed = true;
    free_when_last(old);
    *disk = NULL;
}
