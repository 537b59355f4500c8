/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LMDB file of the local store.
 *
 * Key: the number of the table, then the name, or, since LMDB's keys are short, the SHA-256 of a
 * long one.  Value: when it expires (ms, 8 octets), the name's length (4), the name, the contents.
 */
#include "lib/store/local_file.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/store/note.h"
#include "lib/store/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MAP_SIZE ((size_t)16 << 30) /* of address space: the most that the file can become */
#define KEY_MAX 500 /* LMDB takes 511 octets */
#define DIGEST_SIZE 32
#define SWEEP_ENTRIES 256 /* looked at for their expiry with each transaction */

struct local_file {
    char *path;
    MDB_env *env;
    MDB_dbi database;
    int lock; /* keeps another process away */
    struct text sweep; /* the key at which the search for what expired goes on */
};

struct entry {
    size_t key, key_length, name, name_length, value, value_length; /* in the text */
    bool gone;
};

struct local_batch {
    struct text text;
    struct entry *entries;
    size_t count, room;
};

static char *complain(const struct local_file *file, const char *what, int error)
{
    return mem_print("%s: cannot %s: %s", file->path, what, mdb_strerror(error));
}

/* --- a batch -------------------------------------------------------------------------- */

struct local_batch *local_batch_new(void)
{
    return mem_new(1, sizeof(struct local_batch));
}

void local_batch_free(struct local_batch **batch)
{
    if (*batch == NULL)
        return;
    text_free(&(*batch)->text);
    free((*batch)->entries);
    free(*batch);
    *batch = NULL;
}

static void add_key(struct text *text, const struct memory_name *name)
{
    unsigned char digest[DIGEST_SIZE];

    packed_number(text, 1, name->table);
    if (name->length < KEY_MAX) {
        text_add(text, name->bytes, name->length);
        return;
    }
    if (EVP_Digest(name->bytes, name->length, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
    text_add(text, (const char *)digest, sizeof(digest));
}

void local_batch_add(struct local_batch *batch, const struct memory *memory,
                     const struct memory_name *name)
{
    struct text contents = TEXT_EMPTY;
    struct entry entry = {.key = batch->text.length};
    int64_t expires_ms = 0;

    add_key(&batch->text, name);
    entry.key_length = batch->text.length - entry.key;
    entry.gone = !memory_pack(memory, name, &contents, &expires_ms);
    entry.value = batch->text.length;
    packed_number(&batch->text, 8, expires_ms);
    packed_number(&batch->text, 4, (int64_t)name->length);
    entry.name = batch->text.length;
    entry.name_length = name->length;
    /* With a NUL, so that it can be read where it stands. */
    text_add(&batch->text, name->bytes, name->length);
    text_add(&batch->text, "", 1);
    text_add(&batch->text, text_string(&contents), contents.length);
    entry.value_length = batch->text.length - entry.value;
    text_free(&contents);
    if (batch->count == batch->room) {
        batch->room = batch->room > 0 ? 2 * batch->room : 64;
        batch->entries = mem_grow(batch->entries, batch->room, sizeof(*batch->entries));
    }
    batch->entries[batch->count++] = entry;
}

void local_batch_each(const struct local_batch *batch,
                      void (*visit)(const struct memory_name *name, void *context), void *context)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct entry *entry = &batch->entries[i];
        const struct memory_name name = {
            (enum memory_table)batch->text.bytes[entry->key],
            batch->text.bytes + entry->name,
            entry->name_length,
        };

        visit(&name, context);
    }
}

/* --- the file ------------------------------------------------------------------------- */

static int open_env(struct local_file *file)
{
    MDB_txn *transaction = NULL;
    int error = mdb_env_create(&file->env);

    if (error == 0)
        error = mdb_env_set_mapsize(file->env, MAP_SIZE);
    /* Our own lock keeps others away, and one thread writes. */
    if (error == 0)
        error = mdb_env_open(file->env, file->path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS, 0600);
    if (error == 0)
        error = mdb_txn_begin(file->env, NULL, 0, &transaction);
    if (error == 0)
        error = mdb_dbi_open(transaction, NULL, 0, &file->database);
    if (transaction != NULL) {
        int commit = mdb_txn_commit(transaction);

        error = error != 0 ? error : commit;
    }
    return error;
}

static bool lock(struct local_file *file, char **problem_r)
{
    char *path = mem_print("%s.lock", file->path);

    file->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file->lock < 0)
        *problem_r = mem_print("cannot open %s: %s", path, strerror(errno));
    else if (flock(file->lock, LOCK_EX | LOCK_NB) != 0)
        *problem_r = mem_print("%s is in use by another sluice-policyd", file->path);
    free(path);
    return *problem_r == NULL;
}

struct local_file *local_file_open(const char *path, char **problem_r)
{
    struct local_file *file = mem_new(1, sizeof(*file));
    int error;

    file->path = mem_copy(path);
    file->lock = -1;
    *problem_r = NULL;
    if (lock(file, problem_r)) {
        error = open_env(file);
        if (error != 0)
            *problem_r = complain(file, "open it", error);
    }
    if (*problem_r != NULL)
        local_file_close(&file);
    return file;
}

void local_file_close(struct local_file **file)
{
    if (*file == NULL)
        return;
    if ((*file)->env != NULL)
        mdb_env_close((*file)->env);
    if ((*file)->lock >= 0)
        (void)close((*file)->lock);
    text_free(&(*file)->sweep);
    free((*file)->path);
    free(*file);
    *file = NULL;
}

static int64_t expiry_of(const MDB_val *value)
{
    struct packed_reader reader = {value->mv_data, (const char *)value->mv_data + value->mv_size,
                                   false};

    return packed_read_number(&reader, 8);
}

static void read_entry(struct memory *memory, const MDB_val *key, const MDB_val *value,
                       int64_t now_ms)
{
    struct packed_reader reader = {value->mv_data, (const char *)value->mv_data + value->mv_size,
                                   false};
    int64_t expires_ms = packed_read_number(&reader, 8);
    size_t length = (size_t)packed_read_number(&reader, 4);
    struct memory_name name = {MEMORY_USE, packed_read_bytes(&reader, length + 1), length};
    const char *number = key->mv_data;

    if (reader.bad || expires_ms <= now_ms || key->mv_size == 0 || *number > MEMORY_NOTE ||
        length >= NOTE_KEY_SIZE || name.bytes[length] != '\0')
        return;
    name.table = (enum memory_table) * number;
    if (name.table == MEMORY_NOTE && memchr(name.bytes, '\0', length) == NULL)
        return;
    memory_unpack(memory, &name, reader.at, (size_t)(reader.end - reader.at), expires_ms);
}

char *local_file_read(struct local_file *file, struct memory *memory, int64_t now_ms)
{
    MDB_txn *transaction = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int error = mdb_txn_begin(file->env, NULL, MDB_RDONLY, &transaction);

    if (error == 0)
        error = mdb_cursor_open(transaction, file->database, &cursor);
    while (error == 0 && (error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        read_entry(memory, &key, &value, now_ms);
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (transaction != NULL)
        mdb_txn_abort(transaction);
    return error == MDB_NOTFOUND ? NULL : complain(file, "read it", error);
}

/* --- writing -------------------------------------------------------------------------- */

static int write_entry(struct local_file *file, MDB_txn *transaction,
                       const struct local_batch *batch, const struct entry *entry)
{
    MDB_val key = {entry->key_length, batch->text.bytes + entry->key};
    MDB_val value = {entry->value_length, batch->text.bytes + entry->value};
    int error;

    if (!entry->gone)
        return mdb_put(transaction, file->database, &key, &value, 0);
    error = mdb_del(transaction, file->database, &key, NULL);
    return error == MDB_NOTFOUND ? 0 : error;
}

static int sweep(struct local_file *file, MDB_txn *transaction)
{
    int64_t now_ms = clock_now_us(&clock_wall) / 1000;
    MDB_val key = {file->sweep.length, file->sweep.bytes};
    MDB_val value;
    MDB_cursor *cursor = NULL;
    int error = mdb_cursor_open(transaction, file->database, &cursor);

    if (error == 0)
        error = mdb_cursor_get(cursor, &key, &value, key.mv_size > 0 ? MDB_SET_RANGE : MDB_FIRST);
    for (int i = 0; error == 0 && i < SWEEP_ENTRIES; i++) {
        if (expiry_of(&value) <= now_ms)
            error = mdb_cursor_del(cursor, 0);
        if (error == 0)
            error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    text_clear(&file->sweep);
    if (error == 0)
        text_add(&file->sweep, key.mv_data, key.mv_size);
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    return error == MDB_NOTFOUND ? 0 : error;
}

char *local_file_write(struct local_file *file, const struct local_batch *batch)
{
    MDB_txn *transaction = NULL;
    int error = mdb_txn_begin(file->env, NULL, 0, &transaction);

    for (size_t i = 0; error == 0 && i < batch->count; i++)
        error = write_entry(file, transaction, batch, &batch->entries[i]);
    if (error == 0)
        error = sweep(file, transaction);
    if (error == 0)
        error = mdb_txn_commit(transaction);
    else if (transaction != NULL)
        mdb_txn_abort(transaction);
    return error == 0 ? NULL : complain(file, "write it", error);
}
