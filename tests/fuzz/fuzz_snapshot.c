/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Loads the input as a snapshot, after putting sizes, offsets and checksums right: otherwise no
 * mutation would get past them. What loads must then bear every question of the public header.
 */

#include "heap/snapshot-format.h"
#include "heapwhy.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t load64(const unsigned char *at)
{
    struct hw_bytes in = hw_bytes_of(at, 8);
    return hw_bytes_u64(&in);
}

enum { ROW_OFFSET_AT = 16, ROW_STORED_AT = 24, ROW_CHECKSUM_AT = 48 };

static void repair(unsigned char *data, size_t size)
{
    struct hw_bytes in = hw_bytes_of(data + 12, 4);
    uint32_t rows = hw_bytes_u32(&in);
    size_t at = hw_snap_head_bytes(rows);
    if (rows > HW_SNAP_CHUNK_MAX || size < at + HW_SNAP_END_BYTES)
        return;
    hw_put_u64(data + 16, size);
    unsigned char *row = data + HW_SNAP_HEADER_BYTES;
    for (uint32_t i = 0; i < rows; i++, row += HW_SNAP_ROW_BYTES) {
        size_t room = size - HW_SNAP_END_BYTES - at;
        uint64_t stored = load64(row + ROW_STORED_AT);
        if (stored > room || i + 1 == rows)
            stored = room;
        hw_put_u64(row + ROW_OFFSET_AT, at);
        hw_put_u64(row + ROW_STORED_AT, stored);
        hw_put_u64(row + ROW_CHECKSUM_AT, XXH3_64bits(data + at, stored));
        at += stored;
    }
    hw_put_u64(row + ROW_OFFSET_AT, at);
    memset(data + HW_SNAP_CHECKSUM_AT, 0, 8);
    uint64_t checksum = XXH3_64bits(data, hw_snap_head_bytes(rows));
    hw_put_u64(data + HW_SNAP_CHECKSUM_AT, checksum);
    hw_snap_end_put(&(struct hw_snap_head){.checksum = checksum}, data + at);
}

static uint64_t ask_everything(const struct hw_graph *graph)
{
    char text[64];
    uint64_t sum = hw_graph_bytes(graph);
    for (hw_id id = 0; id < hw_graph_node_count(graph); id++) {
        const struct hw_synthetic *node = hw_graph_synthetic(graph, id);
        sum += hw_graph_value(graph, id, text, sizeof(text)) + hw_graph_size(graph, id);
        sum += strlen(hw_graph_type(graph, hw_graph_type_index(graph, id))->name);
        sum += node ? strlen(node->name) + strlen(node->file) : 0;
        if (id < hw_graph_object_count(graph) &&
            hw_graph_find(graph, hw_graph_addr(graph, id)) != id)
            abort();
        for (uint32_t n = 0; n < hw_graph_degree(graph, id); n++) {
            struct hw_edge edge = hw_graph_edge(graph, id, n);
            sum += hw_graph_type_index(graph, edge.to);
            sum += strlen(hw_graph_string(graph, hw_label_payload(edge.label)));
        }
    }
    struct hw_resources *resources;
    if (hw_resources_ask(graph, &resources, NULL)) {
        sum += resources->group_count;
        hw_resources_destroy(resources);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct hw_graph *graph = NULL;
    struct hw_check *check = NULL;
    unsigned char *copy = malloc(size + 1);
    int fd = memfd_create("snapshot", MFD_CLOEXEC);
    if (!copy || fd < 0)
        abort();
    memcpy(copy, data, size);
    if (size >= HW_SNAP_HEADER_BYTES)
        repair(copy, size);
    if (write(fd, copy, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    bool loaded = hw_snapshot_load(path, &graph, NULL);
    if (loaded)
        ask_everything(graph);
    if (hw_snapshot_check(path, &check, NULL) && !loaded)
        abort();
    hw_check_destroy(check);
    hw_graph_destroy(graph);
    close(fd);
    free(copy);
    return loaded ? 0 : -1;
}
