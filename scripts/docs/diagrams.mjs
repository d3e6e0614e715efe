/** Renders Mermaid diagrams as SVG, so that the browser needs no renderer. */
import { renderMermaidSVG } from 'beautiful-mermaid';

/**
 * Replaces the Mermaid diagrams of a page with inline SVG. The colors are variables of the theme
 * (`vitepress/theme/style.css`), because the content security policy of the site allows no
 * inline styles.
 * @param {string} markdown
 * @param {string} page the name of the page, which makes the ids of SVG definitions unique.
 */
export function renderDiagrams(markdown, page) {
  let count = 0;
  return markdown.replace(/^```mermaid\n([\s\S]*?)^```$/gm, (_, code) => {
    const id = `${page.replace(/\W+/g, '-')}-${++count}`;
    return `<div class="diagram" role="img" tabindex="0" aria-label="${describe(code)}" v-pre>${toInlineSvg(code, id)}</div>`;
  });
}

function toInlineSvg(code, id) {
  return (
    // A chart from top to bottom fits the width of the text.
    renderMermaidSVG(code.trim().replace(/^flowchart LR/, 'flowchart TD'), { transparent: true, font: 'system-ui' })
      .replace(/<style>[\s\S]*?<\/style>/g, '')
      .replace(/ style="[^"]*"/g, '')
      .replace(/ id="([^"]+)"/g, ` id="${id}-$1"`)
      .replace(/url\(#([^)]+)\)/g, `url(#${id}-$1)`)
      // An empty line would end the HTML block of Markdown.
      .replace(/\n\s*/g, ' ')
      .replace('<svg ', '<svg aria-hidden="true" ')
  );
}

/** Describes a diagram for screen readers by its kind and its labels. */
function describe(code) {
  const kind = code.startsWith('erDiagram') ? 'Entity relationship diagram' : 'Flow chart';
  const labels = code.startsWith('erDiagram')
    ? [...code.matchAll(/^\s{2}(\w+) \{/gm)].map(([, table]) => table)
    : [...code.matchAll(/[[(]+"?([^"\])]+)"?[\])]+/g)].map(([, label]) => label);
  return `${kind}: ${[...new Set(labels)].join(', ')}`.replaceAll('"', '');
}
