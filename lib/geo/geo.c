/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/geo/geo.h"

#include "lib/base/mem.h"

#include <maxminddb.h>
#include <stdlib.h>
#include <string.h>

struct database {
    MMDB_s file;
    bool open;
};

struct geo {
    struct database country, asn;
};

static bool open_database(const char *path, struct database *database, char **problem_r)
{
    int status;

    if (!path || path[0] == '\0')
        return true;
    status = MMDB_open(path, MMDB_MODE_MMAP, &database->file);
    database->open = status == MMDB_SUCCESS;
    if (!database->open)
        *problem_r = mem_print("%s: %s", path, MMDB_strerror(status));
    return database->open;
}

bool geo_open(const char *country_path, const char *asn_path, struct geo **geo_r, char **problem_r)
{
    struct geo *geo = mem_new(1, sizeof *geo);

    if (!open_database(country_path, &geo->country, problem_r) ||
        !open_database(asn_path, &geo->asn, problem_r)) {
        geo_close(&geo);
        return false;
    }
    *geo_r = geo;
    return true;
}

void geo_close(struct geo **geo)
{
    if (*geo && (*geo)->country.open)
        MMDB_close(&(*geo)->country.file);
    if (*geo && (*geo)->asn.open)
        MMDB_close(&(*geo)->asn.file);
    free(*geo);
    *geo = NULL;
}

/* A damaged file or one without IPv6 finds nothing, as an unknown address does. */
static bool find(const struct database *database, const struct ip_address *address,
                 MMDB_entry_s *entry_r)
{
    struct sockaddr_storage where;
    MMDB_lookup_result_s result;
    int status = MMDB_SUCCESS;

    if (!database->open || ip_to_sockaddr(address, 0, &where) == 0)
        return false;
    result = MMDB_lookup_sockaddr(&database->file, (const struct sockaddr *)&where, &status);
    if (status != MMDB_SUCCESS || !result.found_entry)
        return false;
    *entry_r = result.entry;
    return true;
}

static void copy_text(const MMDB_entry_data_s *data, char *text_r, size_t room)
{
    size_t length = data->data_size < room ? data->data_size : room - 1;

    memcpy(text_r, data->utf8_string, length);
    text_r[length] = '\0';
}

static bool value(MMDB_entry_s *entry, const char *const *path, uint32_t type,
                  MMDB_entry_data_s *data_r)
{
    return MMDB_aget_value(entry, data_r, path) == MMDB_SUCCESS && data_r->has_data &&
           data_r->type == type;
}

void geo_find(const struct geo *geo, const struct ip_address *address, struct geo_place *place_r)
{
    static const char *const country[] = {"country", "iso_code", NULL};
    static const char *const number[] = {"autonomous_system_number", NULL};
    static const char *const name[] = {"autonomous_system_organization", NULL};
    MMDB_entry_s entry;
    MMDB_entry_data_s data;

    *place_r = (struct geo_place){0};
    if (!geo)
        return;
    if (find(&geo->country, address, &entry) &&
        value(&entry, country, MMDB_DATA_TYPE_UTF8_STRING, &data))
        copy_text(&data, place_r->country, sizeof place_r->country);
    if (!find(&geo->asn, address, &entry))
        return;
    if (value(&entry, number, MMDB_DATA_TYPE_UINT32, &data))
        place_r->as_number = data.uint32;
    if (value(&entry, name, MMDB_DATA_TYPE_UTF8_STRING, &data))
        copy_text(&data, place_r->as_name, sizeof place_r->as_name);
}
