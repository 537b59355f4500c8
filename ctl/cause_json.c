/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/cause_json.h"

const struct cause_place cause_places[CAUSE_FOUND_COUNT] = {
    {FOUND_POLICY, "policy", "sluice-policyd"},
    {FOUND_MILTER, "milter", "sluice-milter"},
    {FOUND_FEEDBACK, "feedback", "what the MTA logs about delivery"},
    {FOUND_CHECK, "check", "a check by hand"},
};

const char *cause_configured(const struct conf *conf, const struct cause *cause)
{
    int action = conf_cause_action(conf, cause->id);

    return action >= 0 ? action_name((enum action)action) : NULL;
}

static json_t *found_json(const struct cause *cause)
{
    json_t *array = json_array();

    for (size_t i = 0; i < CAUSE_FOUND_COUNT; i++)
        if (cause->found & cause_places[i].found)
            json_array_append_new(array, json_string(cause_places[i].word));
    return array;
}

json_t *cause_json(const struct conf *conf, const struct cause *cause)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s?, s:s?, s:s?, s:s?, s:o}", "id", cause->id,
                  "severity", severity_name(cause->severity), "default", action_name(cause->action),
                  "action", cause_configured(conf, cause), "title", cause->title, "explanation",
                  cause->explanation, "remedy", cause->remedy, "source", cause->source, "sentence",
                  cause->sentence, "found", found_json(cause));

    if (cause->reply_code != 0)
        json_object_set_new(object, "reply",
                            json_sprintf("%u %s", cause->reply_code, cause->enhanced));
    return object;
}
