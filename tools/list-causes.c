/* SPDX-License-Identifier: Apache-2.0 */

/* list-causes: prints every row of the tables of causes, in the order in which they are asked:
 * name, sentence and cure, with tabs between them. */
#include "why/cause.h"

#include <stdio.h>

int main(void)
{
    for (size_t t = 0; hw_cause_tables[t]; t++)
        for (size_t i = 0; i < hw_cause_tables[t]->count; i++) {
            const struct hw_cause *row = &hw_cause_tables[t]->rows[i];
            printf("%s\t%s\t%s\n", row->name, row->about, row->fix);
        }
    return fflush(stdout) ? 1 : 0;
}
