/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's full name. */
#include "lib/base/domain.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/conf/files.h"
#include "lib/conf/private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOSTS_FILE "/etc/hosts"
#define HOSTS_MAX ((size_t)16 * 1024 * 1024)

static const char blanks[] = " \t\r";

/* The name of one line of hosts(5) that is host with a domain, or NULL. */
static char *name_in_line(char *line, const char *host)
{
    size_t length = strlen(host);
    char *rest = NULL;
    char *word;

    line[strcspn(line, "#")] = '\0';
    word = strtok_r(line, blanks, &rest); /* the address */
    while (word != NULL && (word = strtok_r(NULL, blanks, &rest)) != NULL)
        if (strncasecmp(word, host, length) == 0 && word[length] == '.')
            return domain_copy(word);
    return NULL;
}

/* What getaddrinfo(3) finds in /etc/hosts, without its way to the DNS. */
static char *name_in_hosts(const char *host)
{
    struct text text = TEXT_EMPTY;
    char *problem = NULL;
    char *name = NULL;
    char *rest = NULL;

    if (file_read(HOSTS_FILE, HOSTS_MAX, &text, NULL, &problem) && text.length > 0) {
        char *line = strtok_r(text.bytes, "\n", &rest);

        for (; line != NULL && name == NULL; line = strtok_r(NULL, "\n", &rest))
            name = name_in_line(line, host);
    }
    free(problem);
    text_free(&text);
    return name;
}

char *hostname_find(void)
{
    char host[256] = "";
    char *name;

    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        return mem_copy("localhost");
    name = strchr(host, '.') != NULL ? NULL : name_in_hosts(host);
    if (name == NULL)
        name = domain_copy(host);
    return name != NULL ? name : mem_copy("localhost");
}
