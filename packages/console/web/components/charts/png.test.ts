import { expect, test } from 'vitest';
import { buildPicture } from './png.ts';

const picture = {
  title: 'Tickets < 1 day & "more"',
  subtitles: ['Tickets per day', '30 Oct – 28 Nov 2026'],
  chart: '<svg width="300" height="100"><rect width="10" height="10"/></svg>',
  width: 300,
  height: 100,
  legend: [{ name: 'Created', color: 'rgb(1, 2, 3)', opacity: '1' }],
  colors: { ground: '#fff', text: '#111', dimmed: '#555' },
  fontFamily: 'system-ui, "Segoe UI"',
};

test('a picture contains the title, the period, the chart and the legend, and has no external references', () => {
  const { svg, width, height } = buildPicture(picture);
  expect(svg).toContain('Tickets &lt; 1 day &amp; &quot;more&quot;');
  expect(svg).toContain('30 Oct – 28 Nov 2026');
  expect(svg).toContain(picture.chart);
  expect(svg).toContain('fill="rgb(1, 2, 3)"');
  expect(svg).toContain(`width="${width}" height="${height}"`);
  expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|<style|<script/);
  expect(width).toBeGreaterThan(picture.width);
});

test('a legend that is wider than the chart has several lines', () => {
  const legend = Array.from({ length: 12 }, (_, i) => ({ name: `A long name ${i}`, color: 'red', opacity: '1' }));
  const lines = new Set(
    [...buildPicture({ ...picture, legend }).svg.matchAll(/<text x="[\d.]+" y="([\d.]+)" font-size="12"/g)].map(
      ([, y]) => y,
    ),
  );
  // The first lines are the subtitles.
  expect(lines.size).toBeGreaterThan(4);
  expect(buildPicture({ ...picture, legend }).height).toBeGreaterThan(buildPicture(picture).height);
});

test('a long subtitle makes the picture wider', () => {
  const wide = buildPicture({ ...picture, subtitles: ['A definition of the values. '.repeat(5)] });
  expect(wide.width).toBeGreaterThan(buildPicture(picture).width);
});
