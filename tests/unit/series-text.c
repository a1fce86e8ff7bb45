/* SPDX-License-Identifier: Apache-2.0 */
#include "series-text.h"

#include "graph-text.h"

#include <stdio.h>
#include <stdlib.h>

struct hw_series *series_from(tell_snapshot *tell, unsigned count)
{
    struct hw_series *series;
    struct hw_err err = HW_ERR_INIT;
    if (!hw_series_create(&series, &err))
        abort();
    for (unsigned k = 0; k < count; k++) {
        struct hw_buf text = {0};
        hw_buf_printf(&text, "fact taken_at_ns=%llu\n", (k + 1) * 5000000000ull);
        tell(&text, k);
        struct hw_graph *graph = graph_from_text(hw_buf_str(&text));
        hw_buf_deinit(&text);
        if (!hw_series_add(series, graph, &err)) {
            fprintf(stderr, "%s\n", err.msg);
            abort();
        }
    }
    return series;
}

void tell_app(struct hw_buf *out)
{
    hw_buf_puts(out, "$i interpreter \"main\"\n"
                     "root sys.modules -> 0x100\n"
                     "@0x100 dict\n"
                     "['app'] -> 0x110\n"
                     "['re'] -> 0x130\n"
                     "['sys'] -> 0x120\n"
                     "@0x120 module value=sys\n"
                     ".__dict__ -> 0x128\n"
                     "@0x128 dict\n"
                     "@0x130 module value=re\n"
                     ".__dict__ -> 0x138\n"
                     "@0x138 dict\n"
                     "@0x110 module value=app\n"
                     ".__dict__ -> 0x118\n"
                     "@0x118 dict\n");
}

void tell_entries(struct hw_buf *out, unsigned first, unsigned last, hw_addr addr)
{
    for (unsigned i = first; i < last; i++)
        hw_buf_printf(out, "[%u] -> 0x%llx\n", 1000 + i, (unsigned long long)addr + i * 0x40);
}

void tell_elements(struct hw_buf *out, unsigned first, unsigned last, hw_addr addr)
{
    for (unsigned i = first; i < last; i++)
        hw_buf_printf(out, "[%u] -> 0x%llx\n", i - first, (unsigned long long)addr + i * 0x40);
}

void tell_instances(struct hw_buf *out, unsigned first, unsigned last, hw_addr addr,
                    const char *type)
{
    for (unsigned i = first; i < last; i++)
        hw_buf_printf(out, "@0x%llx %s\n", (unsigned long long)addr + i * 0x40, type);
}
