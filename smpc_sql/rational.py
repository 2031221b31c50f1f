"""Exact fractions out of a prime field, and the doubles nearest to them and to their square roots.

The parties deliver a quotient n/d as (n·rho, d·rho) mod p with a random rho that nobody knows. The ratio of the two is
n/d mod p, and where 2·N·D < p for bounds |n| <= N, 0 < |d| <= D, just one fraction in lowest terms within them has
that ratio. It is met on the way of Euclid's algorithm on p and the ratio. So the analyst learns the fraction in lowest
terms, and nothing else about n and d. [Wang 1981: A p-adic algorithm for univariate partial fractions; Wang, Guy,
Davenport 1982: P-adic reconstruction of rational numbers]
"""

from __future__ import annotations

from fractions import Fraction
from math import inf, isqrt

_SPARE_BITS = 60  # of an integer square root: more than a double's 53, so that one sticky bit decides the rounding


def reconstruct(numerator: int, denominator: int, modulus: int, highest: int, deepest: int) -> Fraction | None:
    """The fraction n/d with |n| <= highest and 0 < d <= deepest that equals numerator/denominator mod a prime modulus.

    None for (0, 0), which stands for NULL. Where 2 * highest * deepest < modulus there is at most one such fraction;
    ValueError where there is none: the two are no products of numbers within the bounds.
    """
    numerator, denominator = numerator % modulus, denominator % modulus
    if denominator == 0:
        if numerator == 0:
            return None
        raise ValueError("a denominator of 0")
    remainder, following = modulus, numerator * pow(denominator, -1, modulus) % modulus
    cofactor, next_cofactor = 0, 1
    while following > highest:
        quotient = remainder // following
        remainder, following = following, remainder - quotient * following
        cofactor, next_cofactor = next_cofactor, cofactor - quotient * next_cofactor
    if abs(next_cofactor) > deepest:
        raise ValueError("no fraction within the bounds")
    return Fraction(following, next_cofactor)


def to_float(value: Fraction) -> float:
    """The nearest double, ties to even; an infinity beyond the largest."""
    try:
        return value.numerator / value.denominator  # Python divides integers of any size with one correct rounding
    except OverflowError:
        return inf if value > 0 else -inf


def root_to_float(value: Fraction) -> float:
    """The double nearest to the square root, whatever the size of the fraction; ValueError below 0."""
    if value < 0:
        raise ValueError("the square root of a negative number")
    excess = value.numerator.bit_length() - value.denominator.bit_length()
    shift = max(0, _SPARE_BITS - excess // 2 + 1)
    square, rest = divmod(value.numerator << 2 * shift, value.denominator)
    root = isqrt(square)
    sticky = rest != 0 or root * root != square
    return to_float(Fraction((root << 1) | sticky, 1 << (shift + 1)))


def near_root(value: Fraction, *, signed: bool) -> Fraction:
    """The square root, nearer to 0 by less than 2^-300; if signed, of x < 0 it is -sqrt(-x), else ValueError."""
    if value < 0:
        if not signed:
            raise ValueError("the square root of a negative number")
        return -near_root(-value, signed=False)
    shift = 300
    return Fraction(isqrt((value.numerator << 2 * shift) // value.denominator), 1 << shift)
