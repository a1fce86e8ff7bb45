/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_RECORD_H
#define HW_AGENT_RECORD_H

/*
 * The recording (recording.h): events become bytes of a chunk in the agent's memory, which is
 * written when it is full, when a second has passed (the clock is looked at now and then, not for
 * each event), before a fork or exec, and at the end. All of it is under the lock, the writing too:
 * the order of events is that of the file.
 *
 * A file that cannot be written ends there; the program goes on, and hw_agent_table.unrecorded
 * counts.
 */

#include "agent/agent.h"

/* The recording is wanted. every: of all events, not only those of the sample. path, is_first: as
 * for hw_record_file_init(). */
bool hw_record_init(const char *path, bool is_first, bool every);

/* Whether one was asked for, and whether it is of the sample. It may have ended since. */
extern bool hw_record_wanted, hw_record_sampled;

/* ---- under the lock ---- */

void hw_record_alloc(const void *block, size_t bytes, enum hw_agent_domain domain, uint32_t site);
void hw_record_free(const void *block);
/* One in use that leaves the sample. */
void hw_record_forget(uint64_t addr);
void hw_record_rate(uint64_t rate_bytes);

/* Writes what there is. */
void hw_record_flush(void);
/* The same, and that the program has ended. Nothing follows. */
void hw_record_end(void);
/* Writes what there is, and nothing from then on: the program goes on. */
void hw_record_stop(void);
/* In the child: what the parent recorded is the parent's. The child's own file comes into being
 * when there is something to write. is_amid: it was forked by a signal handler amid an event, and records
 * nothing. */
void hw_record_forked(bool is_amid);

/* ---- the file: record-file.c ---- */

/* is_first: the file has this very name, and is made at once; else the process id is added. false: there
 * can be none. */
bool hw_record_file_init(const char *path, bool is_first);
/* Makes the file and writes its head, when that is not yet done, and appends to it. false: it has
 * ended. */
bool hw_record_file_append(const void *chunk, size_t bytes);
/* From now on it is another one, of the process that was just forked from parent_pid. */
void hw_record_file_forked(int32_t parent_pid);

extern uint64_t hw_record_rate_began; /* rate_bytes of the head */

#endif
