"""He-initialised weights in place, and one shard of them alone: the README's example.

It must not know more of fanfill than a newcomer would.
"""

import numpy as np

import fanfill as ff

weight = np.empty((4096, 1024), dtype=np.float32)  # (out, in), as torch stores a linear layer
ff.he_normal_(weight, seed=7, key="mlp.0.weight")

# The second of four workers makes its rows alone: same bits, and no other row is drawn.
shard = np.empty((1024, 1024), dtype=np.float32)
rows = ff.Region.box(shape=(4096, 1024), offsets=(1024, 0), sizes=(1024, 1024))
ff.he_normal_(shard, seed=7, key="mlp.0.weight", region=rows)
assert np.array_equal(shard, weight[1024:2048])
