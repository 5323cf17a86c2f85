// Where the hidden words of FillIn are after the text has changed: what stands before the change or behind it stays.

function movedPlaces(hidden, before, after) {
  const shortest = Math.min(before.length, after.length), same = (i, j) => before[i].typed === after[j].typed && before[i].special === after[j].special;
  let start = 0, end = 0;
  while (start < shortest && same(start, start)) start++;
  while (end < shortest - start && same(before.length - 1 - end, after.length - 1 - end)) end++;
  return hidden
    .map((place) => (place < start ? place : place >= before.length - end ? place + after.length - before.length : -1))
    .filter((place) => place >= 0 && after[place]?.isWord);
}
