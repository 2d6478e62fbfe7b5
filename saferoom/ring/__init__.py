"""Integers modulo 2**64 and 2**32, and pseudo-random words: the arithmetic under all shares. Pure.

fixed     real numbers as words, and back; open it first
matrix    products of matrices of words, which wrap
angle     sines that are the same to the last bit on every machine
prg       words expanded from seeds, by AES: masks
public    draws that everybody makes alike from a public name: nothing secret
"""
