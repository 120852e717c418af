// The coefficients of 2^f and e^x - 1, made by derive_elementary.py: do not edit.
// They must not know who reads them. c0 first, of (2^f - 1)/f and of (e^x - 1)/x on [0, 1].
#pragma once

namespace fanfill {

constexpr int kDegreeExp2 = 11;
constexpr int kDegreeExpm1 = 13;

// clang-format off
constexpr double kExp2[kDegreeExp2 + 1] = {
    0x1.62e42fefa39efp-1,
    0x1.ebfbdff82c591p-3,
    0x1.c6b08d7049f0cp-5,
    0x1.3b2ab6fbacd2dp-7,
    0x1.5d87fe764503ap-10,
    0x1.4309136463ce3p-13,
    0x1.ffcbe421c32bep-17,
    0x1.62c1ead717ce6p-20,
    0x1.b4f8826155a22p-24,
    0x1.e7b024354ec8cp-28,
    0x1.cb0d4a0477000p-32,
    0x1.37bcbc3f2a1afp-35,
};
constexpr double kExpm1[kDegreeExpm1 + 1] = {
    0x1.0000000000000p+0,
    0x1.0000000000000p-1,
    0x1.555555555554dp-3,
    0x1.5555555555894p-5,
    0x1.1111111106407p-7,
    0x1.6c16c16ec8cf7p-10,
    0x1.a01a0130d1f6dp-13,
    0x1.a01a0dc95cf1ap-16,
    0x1.71dd4dc06ea7cp-19,
    0x1.27f19bab1ed7fp-22,
    0x1.ad7363fd7680cp-26,
    0x1.250bf2a1301ddp-29,
    0x1.2dec772251d06p-33,
    0x1.43219fe2482c9p-36,
};
// clang-format on

}  // namespace fanfill
