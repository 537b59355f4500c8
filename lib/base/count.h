/* SPDX-License-Identifier: BSD-2-Clause */
/* How many elements an array has.  Not for a pointer, which compilers warn of
 * (-Wsizeof-pointer-div). */
#pragma once

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
