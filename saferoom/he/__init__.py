"""Additive homomorphic encryption: two schemes behind one interface, vectors of ciphertexts, packing, sums.

    keys          public and private keys, and the choice of scheme, size and randomness
    generation    fresh keys                      key_files   keys as JSON (Paillier: that of phe)
    products      products of many numbers at once: all the arithmetic below comes down to them
    lanes         eight at a time                 lanes_code, lanes_kernel   the machine code for it
    quickest      which of the two this machine had better use
    fixed_base    quick powers of one base
    ciphertexts   vectors of ciphertexts as one buffer
    packing       many small numbers in one plaintext
    sums          products of ciphertexts by bin  row_sums  a worker's share of them
    vectors       encrypt, decrypt, add up and pack whole vectors over the cores
    kept_rows     sums over any subset of rows, which stay with the workers
    workers       the processes that do it        work        what one of them does

Ciphertexts of one key add up to ciphertexts of sums. Pure: no input or output but to its own processes.
"""
