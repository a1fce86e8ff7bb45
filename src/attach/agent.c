/* SPDX-License-Identifier: Apache-2.0 */
#include "attach/agent.h"

#include "agent/table.h"
#include "base/err.h"
#include "image/source.h"
#include "native/elf.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

static bool symbols_find(struct hw_image *image, const struct hw_module *module,
                         struct hw_agent *ret)
{
    struct hw_symbol control, obey;
    if (!hw_module_symbol(image, module, "hw_agent_control", &control) ||
        !hw_module_symbol(image, module, "hw_agent_obey", &obey))
        return false;
    *ret = (struct hw_agent){control.addr, obey.addr, module->path};
    return true;
}

/* A library that is only half mapped yet has no control to read. */
static bool is_ours(struct hw_image *image, const struct hw_agent *agent)
{
    struct hw_agent_control control;
    return hw_agent_read(image, agent, &control) &&
           memcmp(control.magic, HW_AGENT_CONTROL_MAGIC, sizeof(control.magic)) == 0;
}

bool hw_agent_find(struct hw_image *image, struct hw_agent *ret_agent, struct hw_err *err)
{
    struct hw_module *modules;
    size_t count;
    bool found = false, other = false;
    hw_image_renew(image);
    if (!hw_modules_list(image, &modules, &count, err))
        return false;
    *ret_agent = (struct hw_agent){0};
    for (size_t i = 0; i < count && !found; i++) {
        if (!strstr(modules[i].path, HW_AGENT_LIBRARY))
            continue;
        found = symbols_find(image, &modules[i], ret_agent) && is_ours(image, ret_agent);
        other = !found;
    }
    free(modules);
    if (found || !other)
        return true;
    *ret_agent = (struct hw_agent){0};
    return hw_err_set(
        err, HW_ERR_UNSUPPORTED,
        "another version of heapwhy has loaded its agent into process %d; only that one can use it",
        (int)image->pid);
}

bool hw_agent_read(struct hw_image *image, const struct hw_agent *agent,
                   struct hw_agent_control *ret_control)
{
    return image->ops->read(image, agent->control, ret_control, sizeof(*ret_control)) ==
           sizeof(*ret_control);
}

static bool write_at(pid_t pid, hw_addr addr, const void *from, size_t bytes)
{
    struct iovec here = {(void *)(uintptr_t)from, bytes}, there = {(void *)(uintptr_t)addr, bytes};
    return process_vm_writev(pid, &here, 1, &there, 1, 0) == (ssize_t)bytes;
}

bool hw_agent_wish(pid_t pid, const struct hw_agent *agent, enum hw_agent_wish wish,
                   uint64_t rate_bytes)
{
    const uint32_t word = wish;
    return write_at(pid, agent->control + offsetof(struct hw_agent_control, rate_bytes),
                    &rate_bytes, sizeof(rate_bytes)) &&
           write_at(pid, agent->control + offsetof(struct hw_agent_control, wish), &word,
                    sizeof(word));
}
