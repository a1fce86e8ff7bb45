/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/markup.h"

void hw_markup_put(struct hw_out *out, const char *s)
{
    for (; *s; s++)
        if (*s == '&')
            hw_out_puts(out, "&amp;");
        else if (*s == '<')
            hw_out_puts(out, "&lt;");
        else if (*s == '>')
            hw_out_puts(out, "&gt;");
        else
            hw_out_put(out, s, 1);
}
