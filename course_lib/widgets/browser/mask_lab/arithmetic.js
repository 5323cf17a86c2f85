// The arithmetic of MaskLab, in double precision; `viz/arithmetic.py` computes the same in Python.

// (n, d) · (d, d), both row by row
function product(x, w, d) {
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length / d; i++) {
    for (let a = 0; a < d; a++) {
      for (let b = 0; b < d; b++) out[i * d + b] += x[i * d + a] * w[a * d + b];
    }
  }
  return out;
}

// Attention, and the size of ∂o_i/∂x_j = w_ij W_vᵀ + p_ij (m_ij v_j − o_i) (W_k q_i)ᵀ / √d, entry by entry.
// p is the softmax, m a mask that is multiplied on after it, w = p·m. See viz/arithmetic.py.
function attend(q, k, v, wk, wv, d, n, allowed, where) {
  const rows = q.length / d, weights = new Float64Array(rows * n), leak = new Float64Array(rows * n);
  const scores = new Float64Array(rows * n), output = new Float64Array(rows * d), alongKey = new Float64Array(d), root = Math.sqrt(d);
  for (let i = 0; i < rows; i++) {
    const start = i * n, p = new Float64Array(n), may = allowed.subarray(start, start + n);
    for (let j = 0; j < n; j++) {
      for (let a = 0; a < d; a++) p[j] += q[i * d + a] * k[j * d + a];
      p[j] /= root;
      scores[start + j] = p[j];
    }
    softmaxRow(p, where === "before" ? may : null);
    const m = (j) => (where === "after" && !may[j] ? 0 : 1);
    for (let j = 0; j < n; j++) {
      weights[start + j] = p[j] * m(j);
      for (let b = 0; b < d; b++) output[i * d + b] += weights[start + j] * v[j * d + b];
    }
    for (let a = 0; a < d; a++) {
      alongKey[a] = 0;
      for (let c = 0; c < d; c++) alongKey[a] += (wk[a * d + c] * q[i * d + c]) / root;
    }
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let b = 0; b < d; b++) {
        const pull = p[j] * (m(j) * v[j * d + b] - output[i * d + b]);
        for (let a = 0; a < d; a++) sum += (weights[start + j] * wv[a * d + b] + pull * alongKey[a]) ** 2;
      }
      leak[start + j] = Math.sqrt(sum);
    }
  }
  return { scores, weights, output, leak };
}
