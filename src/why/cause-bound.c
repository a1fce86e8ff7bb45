/* SPDX-License-Identifier: Apache-2.0 */
#include "why/cause.h"

/* Containers that may still be filling. */

static bool is_filling(struct hw_case *c)
{
    return c->candidate->bound.value != 0;
}

static bool is_checked(struct hw_case *c)
{
    return c->candidate->bound.is_checked;
}

static const struct hw_cause rows[] = {
    {"still-filling", 0, NULL, NULL, is_filling, "{holder} has a bound and is not full yet.",
     "Wait until {holder} is full and look again: then it should stay as it is. If that is too "
     "much memory, lower its bound."},
    {"still-filling", 0, NULL, NULL, is_checked,
     "The length of {holder} is compared with a limit that it may not have reached yet.",
     "Wait and look again. If {holder} still grows then, see that what the comparison leads to "
     "takes out as much as comes in."},
};
const struct hw_cause_table hw_causes_bound = HW_CAUSE_TABLE(rows);
