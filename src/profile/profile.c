/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile.h"

#include "agent/table.h"
#include "base/err.h"

#include <stdlib.h>

/* numpy/core/src/multiarray/alloc.c: the domain in which it tells tracemalloc of its arrays */
enum { DOMAIN_NUMPY = 389047 };

bool hw_profile_result_create(size_t row_count, size_t thread_count,
                              struct hw_profile_result **ret_result, struct hw_err *err)
{
    struct hw_profile_result *result = calloc(1, sizeof(*result));
    if (!result)
        return hw_err_no_memory(err);
    struct hw_profile *profile = &result->profile;
    profile->command = profile->damage = "";
    profile->rows = hw_arena_array(&result->arena, row_count + 1, sizeof(*profile->rows));
    profile->threads = hw_arena_array(&result->arena, thread_count + 1, sizeof(*profile->threads));
    if (!profile->rows || !profile->threads) {
        hw_profile_destroy(profile);
        return hw_err_no_memory(err);
    }
    profile->row_count = row_count;
    profile->thread_count = thread_count;
    for (size_t i = 0; i < thread_count; i++)
        profile->threads[i].name = "";
    *ret_result = result;
    return true;
}

void hw_profile_destroy(struct hw_profile *profile)
{
    if (!profile)
        return;
    struct hw_profile_result *result = (struct hw_profile_result *)profile;
    hw_arena_deinit(&result->arena);
    free(result);
}

bool hw_profile_knows(const struct hw_profile *profile, enum hw_measure measure, struct hw_err *err)
{
    return profile->is_recording || measure == HW_MEASURE_LIVE ||
           hw_err_set(err, HW_ERR_UNSUPPORTED,
                      "of a process or a snapshot only what is in use is known, not what was %s; "
                      "heapwhy run -o FILE records it",
                      measure == HW_MEASURE_PEAK ? "at the peak" : hw_measure_name(measure));
}

const char *hw_profile_domain_name(const struct hw_profile *profile, uint32_t domain)
{
    static const char *const recorded[] = {[HW_AGENT_RAW] = "raw",
                                           [HW_AGENT_MEM] = "mem",
                                           [HW_AGENT_OBJECT] = "object",
                                           [HW_AGENT_MALLOC] = "malloc",
                                           [HW_AGENT_MMAP] = "mmap"};
    if (profile->is_recording)
        return domain < sizeof(recorded) / sizeof(*recorded) ? recorded[domain] : "";
    bool is_numpy = !profile->rate_bytes && domain == DOMAIN_NUMPY;
    return is_numpy ? "numpy" : hw_domain_name(profile->rate_bytes, domain);
}

const char *hw_measure_name(enum hw_measure measure)
{
    static const char *const names[HW_MEASURE_COUNT] = {[HW_MEASURE_LIVE] = "live",
                                                        [HW_MEASURE_PEAK] = "peak",
                                                        [HW_MEASURE_ALLOCATED] = "allocated",
                                                        [HW_MEASURE_TEMPORARY] = "temporary"};
    return names[measure];
}
