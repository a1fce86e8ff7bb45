/* SPDX-License-Identifier: Apache-2.0 */

/* Keeps values where calls do not: in vector registers, flags, on the x87 stack and below the stack
 * pointer. */

#include <stdint.h>
#include <string.h>

enum { REGISTERS = 16, BYTES = 32, TURNS = 200000 };

/* Turns of some hundred microseconds; returns how many of them found another value. */
__attribute__((target("avx2"))) long spin(long rounds);

long spin(long rounds)
{
    uint8_t in[REGISTERS][BYTES], out[REGISTERS][BYTES];
    long bad = 0;
    for (int i = 0; i < REGISTERS; i++)
        for (int j = 0; j < BYTES; j++)
            in[i][j] = (uint8_t)(i * 37 + j * 11 + 1);
    for (long round = 0; round < rounds; round++) {
        long turns = TURNS;
        uint64_t sum = 0, differs = 0;
        __asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
                         "vmovdqu \\n*32(%[in]), %%ymm\\n\n"
                         ".endr\n"
                         "movq $0x1122334455667788, %%r8\n"
                         "movq %%r8, -64(%%rsp)\n"
                         "fldpi\n"
                         "std\n"
                         "stc\n"
                         "1: adc $1, %[sum]\n" /* only the first adds a carry */
                         "dec %[turns]\n"
                         "jnz 1b\n"
                         "movq %%rsp, %%r10\n"
                         "leaq -128(%%rsp), %%rsp\n" /* pushf writes below it */
                         "pushf\n"
                         "popq %%r9\n"
                         "movq %%r10, %%rsp\n"
                         "cld\n"
                         "xorq -64(%%rsp), %%r8\n"
                         "notq %%r9\n"
                         "andq $0x400, %%r9\n" /* the direction was kept: 0 */
                         "orq %%r8, %%r9\n"
                         "fldpi\n"
                         "fcomip %%st(1), %%st(0)\n"
                         "fstp %%st(0)\n"
                         "jne 2f\n"
                         "testq %%r9, %%r9\n"
                         "je 3f\n"
                         "2: incq %[differs]\n"
                         "3:\n"
                         ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
                         "vmovdqu %%ymm\\n, \\n*32(%[out])\n"
                         ".endr\n"
                         : [turns] "+r"(turns), [sum] "+r"(sum), [differs] "+r"(differs)
                         : [in] "r"(in), [out] "r"(out)
                         : "memory", "cc", "r8", "r9", "r10", "xmm0", "xmm1", "xmm2", "xmm3",
                           "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                           "xmm12", "xmm13", "xmm14", "xmm15");
        bad += differs || sum != TURNS + 1 || memcmp(in, out, sizeof(in)) != 0;
    }
    return bad;
}
