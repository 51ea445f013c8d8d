"""Writes NumPy arrays in every spelling that Lethe reads. Made with NumPy 1.24.2, Python 3.11. Every array is arange(-3, 9) in shape (3, 4) unless its name says otherwise."""
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
base = np.arange(-3, 9).reshape(3, 4)
arrays = {}
for code in ("<f2", "<f4", "<f8", "|i1", "<i2", "<i4", "<i8", ">f4", ">i8", ">f2"):
    arrays[code.replace("<", "le_").replace(">", "be_").replace("|", "")] = base.astype(code)
arrays["u1"] = (base + 3).astype("|u1")
arrays["b1"] = base % 2 == 0
arrays["fortran"] = np.asfortranarray(base.astype("<f4"))
arrays["fortran3"] = np.asfortranarray(np.arange(24, dtype="<i4").reshape(2, 3, 4))
arrays["scalar"] = np.float32(2.5)
arrays["empty"] = np.zeros((0, 5), "<f4")
arrays["vector"] = np.arange(5, dtype="<f4")
np.savez(os.path.join(HERE, "stored.npz"), **arrays)
np.savez_compressed(os.path.join(HERE, "deflated.npz"), **arrays)
np.save(os.path.join(HERE, "matrix.npy"), base.astype("<f4"))
for version in ((2, 0), (3, 0)):
    with open(os.path.join(HERE, f"version{version[0]}.npy"), "wb") as out:
        np.lib.format.write_array(out, base.astype("<f4"), version=version)
np.save(os.path.join(HERE, "objects.npy"), np.array([{"a": 1}], dtype=object), allow_pickle=True)
np.save(os.path.join(HERE, "unsigned.npy"), base.astype("<u4"))
np.save(os.path.join(HERE, "fields.npy"), np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
