/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/module.h"

#include <dlfcn.h>

#if __GLIBC_PREREQ(2, 35)

static int (*find)(void *pc, struct dl_find_object *ret_found);

/* By its name, so that the loader of an older glibc takes us, too. */
void hw_code_begin(void)
{
    *(void **)&find = dlsym(RTLD_DEFAULT, "_dl_find_object");
}

bool hw_code_find(uintptr_t pc, struct hw_code *ret_code)
{
    struct dl_find_object found;
    *ret_code = (struct hw_code){0};
    if (!find || find((void *)pc, &found) != 0)
        return false;
    *ret_code = (struct hw_code){(uintptr_t)found.dlfo_map_start, (uintptr_t)found.dlfo_map_end,
                                 found.dlfo_link_map, found.dlfo_eh_frame};
    return true;
}

#else

void hw_code_begin(void)
{
}

bool hw_code_find(uintptr_t pc, struct hw_code *ret_code)
{
    *ret_code = (struct hw_code){0};
    return pc && false;
}

#endif
