import { expect, test } from 'vitest';

import css from '#ui/theme.css?raw';

/** WCAG AA for text. */
const ENOUGH = 4.5;

/** Texts and what they lie on, as the components use them. */
const PAIRS: [text: string, ground: string][] = [
  ...['ink', 'quiet', 'accent', 'bad'].flatMap((text): [string, string][] => [
    [text, 'paper'],
    [text, 'card'],
    [text, 'sunken'],
  ]),
  ['on-accent', 'accent'],
  ['on-bad', 'bad'],
  ['warn', 'warn-soft'],
  ['ink', 'bad-soft'],
  ['ink', 'accent-soft'],
  ['stage-ink', 'stage'],
  ['stage-ink', 'stage-card'],
  ['stage-ink', 'stage-lift'],
  ['stage-ink', 'stage-bad'],
  ['stage-quiet', 'stage'],
  ['stage-quiet', 'stage-card'],
];

const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');

function colours(part: string): Record<string, string> {
  const found = [...part.matchAll(/--([\w-]+): #([0-9a-f]{6});/gu)];
  return Object.fromEntries(found.map(([, name = '', hex = '']): [string, string] => [name, hex]));
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const value = parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dim = 0, bright = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (bright + 0.05) / (dim + 0.05);
}

test.each([
  ['light', colours(light)],
  ['dark', { ...colours(light), ...colours(dark) }],
])('every text can be read in the %s theme', (_, theme) => {
  const tooFaint = PAIRS.flatMap(([text, ground]) => {
    const value = contrast(theme[text] ?? '', theme[ground] ?? '');
    return value >= ENOUGH ? [] : [`${text} on ${ground}: ${value.toFixed(2)}`];
  });
  expect(tooFaint).toEqual([]);
});
