/* SPDX-License-Identifier: Apache-2.0 */
#include "heapwhy.h"

const char *hw_descriptor_kind_name(enum hw_descriptor_kind kind)
{
    static const char *const names_of[] = {"file",    "directory", "device",   "pipe",    "socket",
                                           "epoll",   "eventfd",   "timerfd",  "signalfd", "inotify",
                                           "pidfd",   "memfd",     "other"};
    return kind <= HW_DESCRIPTOR_OTHER ? names_of[kind] : "?";
}
