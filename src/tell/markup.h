/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_MARKUP_H
#define HW_TELL_MARKUP_H

#include "tell/out.h"

/* Text that is safe for the eye (tell/text.h), for the content of XML elements. */
void hw_markup_put(struct hw_out *out, const char *s);

#endif
