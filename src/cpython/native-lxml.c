/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"
#include "cpython/native.h"

#include <stdio.h>

/*
 * lxml 4.9 to 6.1 (lxml.etree.h) on libxml2 2.9 to 2.14 (libxml/tree.h). A document's proxy owns a
 * tree of C nodes; elements are small proxies that own the document's proxy, and are made anew when
 * Python asks for them.
 *
 *     _Element --_doc--> _Document --_c_doc--> xmlDoc -> xmlNode -> xmlNode ...
 *         \--_c_node (borrowed) -----------------------------^
 *
 * What the tree takes is an estimate from below: structures and the text that belongs to them,
 * without what malloc adds, without DTDs, and without names and short texts that libxml2 keeps once
 * in a dictionary for all documents of a thread.
 */

enum {
    DOCUMENT_BYTES = 56,
    DOCUMENT_PREFIX_TAIL = 32,
    DOCUMENT_C_DOC = 40,
    DOCUMENT_PARSER = 48,
    ELEMENT_BYTES = 40,
    ELEMENT_DOC = 16,
    ELEMENT_C_NODE = 24,
    ELEMENT_TAG = 32,
    TREE_BYTES = 40,
    TREE_DOC = 24,
    TREE_CONTEXT_NODE = 32,
    ATTRIB_BYTES = 24,
    ATTRIB_ELEMENT = 16,

    /* The head that all nodes share. */
    NODE_PRIVATE = 0, /* lxml: the proxy, borrowed */
    NODE_TYPE = 8,
    NODE_NAME = 16,
    NODE_CHILDREN = 24,
    NODE_PARENT = 40,
    NODE_NEXT = 48,
    NODE_HEAD_BYTES = 72,

    NODE_CONTENT = 80,
    NODE_PROPERTIES = 88,
    NODE_NS_DEF = 96,
    NODE_BYTES = 120,
    DOC_BYTES = 176,
    ATTR_BYTES = 96, /* 104 since 2.14 */
    NS_NEXT = 0,
    NS_HREF = 16,
    NS_PREFIX = 24,
    NS_BYTES = 48,
    DTD_BYTES = 128,

    TYPE_ELEMENT = 1, /* xmlElementType */
    TYPE_TEXT = 3,
    TYPE_CDATA = 4,
    TYPE_PI = 7,
    TYPE_COMMENT = 8,
    TYPE_DOCUMENT = 9,
    TYPE_HTML_DOCUMENT = 13,
    TYPE_DTD = 14,
};

enum { TEXT_PIECE_BYTES = 4096, TRIM_EVERY = 1 << 12 };
#define TEXT_MAX ((uint64_t)1 << 32)

static void label_add(struct hw_py *py, hw_addr to, enum hw_label_kind kind, const char *name)
{
    if (to)
        ref_add(py, to, hw_label_named(py, kind, name));
}

/* Cython leaves out of tp_traverse what cannot be part of a cycle: _prefix_tail is bytes or None.
 */
static void document_decode(struct hw_py *py, hw_addr addr, const unsigned char *p,
                            const struct hw_pytype *solid)
{
    label_add(py, load64(p + DOCUMENT_PREFIX_TAIL), HW_LABEL_HIDDEN, "_prefix_tail");
    label_add(py, load64(p + DOCUMENT_PARSER), HW_LABEL_INTERNAL, "_parser");
}

static void element_decode(struct hw_py *py, hw_addr addr, const unsigned char *p,
                           const struct hw_pytype *solid)
{
    label_add(py, load64(p + ELEMENT_DOC), HW_LABEL_INTERNAL, "_doc");
    label_add(py, load64(p + ELEMENT_TAG), HW_LABEL_INTERNAL, "_tag");
}

static void tree_decode(struct hw_py *py, hw_addr addr, const unsigned char *p,
                        const struct hw_pytype *solid)
{
    label_add(py, load64(p + TREE_DOC), HW_LABEL_INTERNAL, "_doc");
    label_add(py, load64(p + TREE_CONTEXT_NODE), HW_LABEL_INTERNAL, "_context_node");
}

static void attrib_decode(struct hw_py *py, hw_addr addr, const unsigned char *p,
                          const struct hw_pytype *solid)
{
    label_add(py, load64(p + ATTRIB_ELEMENT), HW_LABEL_INTERNAL, "_element");
}

/* ---- the tree ---- */

/* One more node; false when there were more than memory can hold, so that we go in circles. */
static bool walk_step(struct hw_py *py)
{
    if (!py->walk_left) {
        py->object_damaged = true;
        return false;
    }
    /* No pointer into the mirrors is kept from one node to the next. */
    if (--py->walk_left % TRIM_EVERY == 0)
        hw_image_trim(py->image);
    return true;
}

/* Length of a text with its end. What is not where malloc puts things belongs to the dictionary. */
static uint64_t text_bytes(struct hw_py *py, hw_addr text)
{
    uint64_t n = 0;
    if (!text || text % 8)
        return 0;
    while (n < TEXT_MAX) {
        size_t piece = TEXT_PIECE_BYTES - (text + n) % TEXT_PIECE_BYTES;
        const unsigned char *p = hw_image_at(py->image, text + n, piece);
        const unsigned char *end = p ? memchr(p, 0, piece) : NULL;
        if (end)
            return n + (uint64_t)(end - p) + 1;
        if (!p)
            return 0;
        n += piece;
    }
    return 0;
}

static uint64_t content_bytes(struct hw_py *py, hw_addr node, const unsigned char *p)
{
    hw_addr content = load64(p + NODE_CONTENT);
    bool inside = content >= node && content < node + NODE_BYTES;
    return inside ? 0 : text_bytes(py, content);
}

static uint64_t namespaces_bytes(struct hw_py *py, hw_addr ns)
{
    uint64_t sum = 0;
    while (ns && walk_step(py)) {
        const unsigned char *p = hw_image_at(py->image, ns, NS_BYTES);
        if (!p)
            break;
        hw_addr href = load64(p + NS_HREF), prefix = load64(p + NS_PREFIX);
        ns = load64(p + NS_NEXT);
        sum += NS_BYTES + text_bytes(py, href) + text_bytes(py, prefix);
    }
    return sum;
}

/* An attribute's value is a list of text nodes. */
static uint64_t attributes_bytes(struct hw_py *py, hw_addr attribute)
{
    uint64_t sum = 0;
    while (attribute && walk_step(py)) {
        const unsigned char *p = hw_image_at(py->image, attribute, NODE_HEAD_BYTES);
        if (!p)
            break;
        hw_addr child = load64(p + NODE_CHILDREN);
        attribute = load64(p + NODE_NEXT);
        sum += ATTR_BYTES;
        while (child && walk_step(py) && (p = hw_image_at(py->image, child, NODE_BYTES))) {
            hw_addr next = load64(p + NODE_NEXT);
            sum += NODE_BYTES + content_bytes(py, child, p);
            child = next;
        }
    }
    return sum;
}

static uint64_t node_bytes(struct hw_py *py, hw_addr node, const unsigned char *p)
{
    switch (load32(p + NODE_TYPE)) {
    case TYPE_ELEMENT: {
        hw_addr properties = load64(p + NODE_PROPERTIES), ns = load64(p + NODE_NS_DEF);
        return NODE_BYTES + attributes_bytes(py, properties) + namespaces_bytes(py, ns);
    }
    case TYPE_TEXT:
    case TYPE_CDATA:
    case TYPE_PI:
    case TYPE_COMMENT:
        return NODE_BYTES + content_bytes(py, node, p);
    case TYPE_DTD:
        return DTD_BYTES;
    default:
        return NODE_BYTES;
    }
}

/* The node that follows in document order outside of node's own children; 0 at the end of top. */
static hw_addr node_after(struct hw_py *py, hw_addr node, hw_addr top)
{
    while (node && node != top && walk_step(py)) {
        const unsigned char *p = hw_image_at(py->image, node, NODE_HEAD_BYTES);
        if (!p)
            return 0;
        if (load64(p + NODE_NEXT))
            return load64(p + NODE_NEXT);
        node = load64(p + NODE_PARENT);
    }
    return 0;
}

/* Everything below top. Only elements have children of their own: those of an entity reference are
 * its declaration's. */
static uint64_t children_bytes(struct hw_py *py, hw_addr top, hw_addr first)
{
    uint64_t sum = 0;
    hw_addr node = first;
    while (node && walk_step(py)) {
        const unsigned char *p = hw_py_at(py, node, NODE_BYTES);
        if (!p)
            break;
        hw_addr children = load32(p + NODE_TYPE) == TYPE_ELEMENT ? load64(p + NODE_CHILDREN) : 0;
        sum += node_bytes(py, node, p);
        node = children ? children : node_after(py, node, top);
    }
    return sum;
}

static uint64_t document_bytes(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    hw_addr doc = load64(p + DOCUMENT_C_DOC);
    const unsigned char *d = doc ? hw_py_at(py, doc, DOC_BYTES) : NULL;
    if (!d)
        return 0;
    uint32_t type = load32(d + NODE_TYPE);
    if (type != TYPE_DOCUMENT && type != TYPE_HTML_DOCUMENT) {
        py->object_damaged = true;
        return 0;
    }
    return DOC_BYTES + children_bytes(py, doc, load64(d + NODE_CHILDREN));
}

/* An element that was taken out of its tree keeps its own children alive. */
static uint64_t element_bytes(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    hw_addr node = load64(p + ELEMENT_C_NODE);
    const unsigned char *n = node ? hw_image_at(py->image, node, NODE_BYTES) : NULL;
    if (!n || load64(n + NODE_PARENT) || load64(n + NODE_PRIVATE) != addr ||
        load32(n + NODE_TYPE) != TYPE_ELEMENT)
        return 0;
    hw_addr children = load64(n + NODE_CHILDREN);
    uint64_t own = node_bytes(py, node, n);
    return own + children_bytes(py, node, children);
}

/* <item>; the top of a document says so: <feed>, root. */
static size_t element_text(struct hw_py *py, const unsigned char *p, char *to, size_t max)
{
    hw_addr node = load64(p + ELEMENT_C_NODE);
    const unsigned char *n = node ? hw_image_at(py->image, node, NODE_BYTES) : NULL;
    char name[64] = "";
    if (!n || load32(n + NODE_TYPE) != TYPE_ELEMENT ||
        !hw_image_read_string(py->image, load64(n + NODE_NAME), name, sizeof(name)))
        return 0;
    n = load64(n + NODE_PARENT) ? hw_image_at(py->image, load64(n + NODE_PARENT), NODE_HEAD_BYTES)
                                : NULL;
    uint32_t above = n ? load32(n + NODE_TYPE) : TYPE_DOCUMENT;
    bool top = above == TYPE_DOCUMENT || above == TYPE_HTML_DOCUMENT;
    return (size_t)snprintf(to, max, "<%s>%s", name, top ? ", root" : "");
}

const struct hw_native hw_native_lxml[] = {
    {.tp_name = "lxml.etree._Document",
     .basicsize = DOCUMENT_BYTES,
     .decode = document_decode,
     .bytes = document_bytes},
    {.tp_name = "lxml.etree._Element",
     .basicsize = ELEMENT_BYTES,
     .decode = element_decode,
     .bytes = element_bytes,
     .text = element_text},
    {.tp_name = "lxml.etree._ElementTree", .basicsize = TREE_BYTES, .decode = tree_decode},
    {.tp_name = "lxml.etree._Attrib", .basicsize = ATTRIB_BYTES, .decode = attrib_decode},
    {0},
};
