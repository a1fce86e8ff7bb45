/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_FINGERPRINT_H
#define HW_WHY_FINGERPRINT_H

/*
 * What makes a suspect the same suspect in another run, on another machine, under another Python:
 * 16 hexadecimal digits, XXH3 of a canonical text,
 *
 *     held                              cycle                    unheld
 *     app.Session                       app.Node                 app.Frame
 *     sys.modules['app']                app.Leaf app.Node list
 *     .hub._sessions
 *     app.Hub dict
 *
 * what leaks; then, where something holds it, the nearest module, class or function above the
 * holder, the shape of the way down from there (ask/shape.h), and the types on that way, each once;
 * of a cycle the types in it, sorted. No addresses, indices, keys, lines, numbers of threads or
 * processes, folders; a __dict__ is no step of its own; modules inside a package of the standard
 * library that are private are left out, since they move.
 *
 * The text is a promise: changing it makes every fingerprint that users wrote down worthless.
 */

#include "ask/shape.h"
#include "why/suspect.h"

struct hw_signer;
bool hw_signer_create(struct hw_signer **ret_signer, const struct hw_growth *growth,
                      struct hw_err *err);
void hw_signer_destroy(struct hw_signer *signer);

/* Fills fingerprint and shape of a candidate whose site, kind and cycle are known. */
bool hw_signer_sign(struct hw_signer *signer, struct hw_candidate *candidate,
                    struct hw_arena *arena, struct hw_err *err);

/* The canonical text, as tests look at it. */
bool hw_signer_text(struct hw_signer *signer, const struct hw_candidate *candidate,
                    struct hw_buf *out);

#endif
