// What a token gains when its ratio is clipped, as `course_lib/viz/groups.py` has it.

// min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â), and whether the clip holds the token back.
function gainOf(ratio, advantage, clip) {
  const free = ratio * advantage, edge = Math.min(Math.max(ratio, 1 - clip), 1 + clip) * advantage;
  return { gain: Math.min(free, edge), held: edge < free };
}

// ratios: (G, T), advantages: (G,). The objective without KL, and how many tokens are pushed up, down, or held back.
function objectiveOf(ratios, advantages, clip) {
  const counts = { up: 0, down: 0, held: 0, all: 0 };
  let sum = 0;
  ratios.forEach((row, g) => {
    let own = 0;
    for (const ratio of row) {
      const { gain, held } = gainOf(ratio, advantages[g], clip);
      own += gain;
      counts.all++;
      if (held) counts.held++;
      else if (advantages[g] > 0) counts.up++;
      else if (advantages[g] < 0) counts.down++;
    }
    sum += own / row.length;
  });
  return { objective: sum / ratios.length, ...counts };
}
