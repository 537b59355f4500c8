/* SPDX-License-Identifier: BSD-2-Clause */
/* What a socketmap server's reply means (socketmap_table(5)). */
#include "lib/socketmap/reply.h"

#include "lib/base/count.h"

#include <string.h>

struct socketmap_answer socketmap_reply(const char *text)
{
    static const struct {
        const char *word;
        enum socketmap_status status;
    } words[] = {
        {"OK ", SOCKETMAP_FOUND},     {"NOTFOUND ", SOCKETMAP_NOT_FOUND},
        {"TEMP ", SOCKETMAP_TROUBLE}, {"TIMEOUT ", SOCKETMAP_TROUBLE},
        {"PERM ", SOCKETMAP_TROUBLE},
    };

    if (strcmp(text, "NOTFOUND") == 0)
        return (struct socketmap_answer){.status = SOCKETMAP_NOT_FOUND};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strncmp(text, words[i].word, strlen(words[i].word)) == 0)
            return (struct socketmap_answer){words[i].status, text + strlen(words[i].word),
                                             words[i].status == SOCKETMAP_TROUBLE ? text : NULL};
    return (struct socketmap_answer){
        .status = SOCKETMAP_TROUBLE,
        .problem = "the reply is none of OK, NOTFOUND, TEMP, TIMEOUT and PERM"};
}
