/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system.h"

/* System calls in which threads wait, by their numbers on x86-64 (arch/x86/entry/syscalls/
 * syscall_64.tbl). */

static const struct {
    uint16_t number;
    bool takes_fd;
    const char *name;
} calls[] = {
    {0, true, "read"},         {1, true, "write"},         {7, false, "poll"},
    {17, true, "pread64"},     {18, true, "pwrite64"},     {19, true, "readv"},
    {20, true, "writev"},      {23, false, "select"},      {34, false, "pause"},
    {35, false, "nanosleep"},  {42, true, "connect"},      {43, true, "accept"},
    {44, true, "sendto"},      {45, true, "recvfrom"},     {46, true, "sendmsg"},
    {47, true, "recvmsg"},     {61, false, "wait4"},       {72, true, "fcntl"},
    {73, true, "flock"},       {74, true, "fsync"},        {75, true, "fdatasync"},
    {128, false, "rt_sigtimedwait"}, {130, false, "rt_sigsuspend"},
    {202, false, "futex"},     {217, true, "getdents64"},  {219, false, "restart_syscall"},
    {230, false, "clock_nanosleep"}, {232, true, "epoll_wait"}, {247, false, "waitid"},
    {257, false, "openat"},    {270, false, "pselect6"},   {271, false, "ppoll"},
    {281, true, "epoll_pwait"}, {288, true, "accept4"},    {441, true, "epoll_pwait2"},
    {449, false, "futex_waitv"},
};
enum { CALL_COUNT = sizeof(calls) / sizeof(*calls), CALL_FUTEX = 202 };

const char *hw_system_call_name(uint32_t call)
{
    for (size_t i = 0; i < CALL_COUNT; i++)
        if (calls[i].number == call)
            return calls[i].name;
    return "";
}

bool hw_system_call_takes_fd(uint32_t call)
{
    for (size_t i = 0; i < CALL_COUNT; i++)
        if (calls[i].number == call)
            return calls[i].takes_fd;
    return false;
}

bool hw_system_call_is_futex(uint32_t call)
{
    return call == CALL_FUTEX;
}
