/** Draws the chart of a card as a PNG, in the browser and without other hosts. */

interface LegendEntry {
  readonly name: string;
  readonly color: string;
  readonly opacity: string;
}

interface Picture {
  readonly title: string;
  /** Lines below the title: the definition of the values, and the period. */
  readonly subtitles: readonly string[];
  /** The chart as an SVG element. */
  readonly chart: string;
  /** The size of the chart in pixels. */
  readonly width: number;
  readonly height: number;
  readonly legend: readonly LegendEntry[];
  readonly colors: { readonly ground: string; readonly text: string; readonly dimmed: string };
  readonly fontFamily: string;
}

const SCALE = 2;
const PADDING = 20;
const TITLE_HEIGHT = 26;
const SUBTITLE_HEIGHT = 18;
/** The space between the header and the chart. */
const HEADER_GAP = 12;
const LEGEND_LINE_HEIGHT = 22;
/** The average width of a character of small texts, for the positions of the legend. */
const CHARACTER_WIDTH = 7;
const MARK_WIDTH = 34;
/** The properties that a chart can have from style sheets and variables. */
const PROPERTIES = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-opacity',
  'opacity',
  'font-size',
  'font-family',
  'font-weight',
  'text-anchor',
];

/** Arranges a chart with its title and legend as one SVG document, without references. */
export function buildPicture(picture: Picture): {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
} {
  const { title, subtitles, chart, colors, fontFamily } = picture;
  const lines = arrangeLegend(picture.legend, picture.width);
  const textWidth = Math.max(...subtitles.map((text) => text.length * CHARACTER_WIDTH));
  const width = Math.ceil(Math.max(picture.width, textWidth) + 2 * PADDING);
  const chartTop = PADDING + TITLE_HEIGHT + subtitles.length * SUBTITLE_HEIGHT + HEADER_GAP;
  const legendTop = chartTop + picture.height + 18;
  const height = Math.ceil(legendTop + lines.length * LEGEND_LINE_HEIGHT + PADDING / 2);
  const entries = lines.flatMap((line, row) =>
    line.map(({ name, color, opacity, x }) => {
      const y = legendTop + row * LEGEND_LINE_HEIGHT;
      return `<rect x="${PADDING + x}" y="${y - 9}" width="10" height="10" rx="2" fill="${escapeXml(color)}" opacity="${escapeXml(opacity)}"/><text x="${PADDING + x + 16}" y="${y}" font-size="12" fill="${escapeXml(colors.dimmed)}">${escapeXml(name)}</text>`;
    }),
  );
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escapeXml(fontFamily)}">`,
    `<rect width="${width}" height="${height}" fill="${escapeXml(colors.ground)}"/>`,
    `<text x="${PADDING}" y="${PADDING + 14}" font-size="15" font-weight="650" fill="${escapeXml(colors.text)}">${escapeXml(title)}</text>`,
    ...subtitles.map(
      (text, i) =>
        `<text x="${PADDING}" y="${PADDING + TITLE_HEIGHT + i * SUBTITLE_HEIGHT + 8}" font-size="12" fill="${escapeXml(colors.dimmed)}">${escapeXml(text)}</text>`,
    ),
    `<g transform="translate(${PADDING} ${chartTop})">${chart}</g>`,
    ...entries,
    '</svg>',
  ].join('');
  return { svg, width, height };
}

function arrangeLegend(legend: readonly LegendEntry[], width: number): (LegendEntry & { readonly x: number })[][] {
  const lines: (LegendEntry & { readonly x: number })[][] = [];
  let x = 0;
  for (const entry of legend) {
    const entryWidth = entry.name.length * CHARACTER_WIDTH + MARK_WIDTH;
    if (lines.length === 0 || x + entryWidth > width) {
      lines.push([]);
      x = 0;
    }
    lines.at(-1)?.push({ ...entry, x });
    x += entryWidth;
  }
  return lines;
}

function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] as string);
}

/**
 * Draws a chart as a PNG with twice the resolution of the page.
 * @param container the element with the chart (`[role=img] svg`) and its legend (`.legend`).
 * @throws Error if the container has no chart.
 */
export async function renderPng(container: HTMLElement, texts: Pick<Picture, 'title' | 'subtitles'>): Promise<Blob> {
  const chart = container.querySelector<SVGSVGElement>('[role=img] svg');
  if (chart === null) throw new Error('The card shows no chart. Show the chart instead of the table.');
  const { width, height } = chart.getBoundingClientRect();
  const style = getComputedStyle(container);
  const legend = [...container.querySelectorAll<HTMLElement>('.legend li')].map((entry) => {
    const { backgroundColor, opacity } = getComputedStyle(entry.querySelector('i') ?? entry);
    return { name: entry.textContent, color: backgroundColor, opacity };
  });
  const probe = (property: string) => style.getPropertyValue(property).trim();
  const picture = buildPicture({
    ...texts,
    chart: new XMLSerializer().serializeToString(copyWithStyles(chart)),
    width,
    height,
    legend,
    colors: {
      ground: probe('--card'),
      text: probe('--mantine-color-text'),
      dimmed: probe('--mantine-color-dimmed'),
    },
    fontFamily: style.fontFamily,
  });
  return await drawPicture(picture);
}

/** Copies an SVG element. The styles become attributes, because a file has no style sheet. */
function copyWithStyles(original: SVGSVGElement): SVGSVGElement {
  const copy = original.cloneNode(true) as SVGSVGElement;
  const originals = [original, ...original.querySelectorAll('*')];
  for (const [i, element] of [copy, ...copy.querySelectorAll('*')].entries()) {
    const style = getComputedStyle(originals[i] as Element);
    for (const property of PROPERTIES) element.setAttribute(property, style.getPropertyValue(property));
    element.removeAttribute('style');
    element.removeAttribute('class');
  }
  return copy;
}

async function drawPicture({ svg, width, height }: ReturnType<typeof buildPicture>): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * SCALE;
  canvas.height = height * SCALE;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('The browser provides no canvas, so it cannot create images.');
  context.scale(SCALE, SCALE);
  context.drawImage(image, 0, 0);
  return await new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('The browser created no image.')) : resolve(blob)));
  });
}
