/**
 * Content without inline styles, because the content security policy of the site does not allow
 * them.
 */

/** Prevents Vue from evaluating `{{ … }}` in inline code. */
export function escapeInlineCode(md) {
  md.renderer.rules.code_inline = (tokens, index) => `<code v-pre>${md.utils.escapeHtml(tokens[index].content)}</code>`;
}

/**
 * Replaces the inline styles of aligned table cells with the class `right` or `center`, and headers
 * without text with plain cells, which screen readers do not announce as headers.
 */
export function adaptTableCells(md) {
  for (const name of ['th_open', 'td_open']) {
    md.renderer.rules[name] = (tokens, index, options, _env, renderer) => {
      const token = tokens[index];
      const align = /text-align:(\w+)/.exec(token.attrGet('style') ?? '')?.[1];
      if (align !== undefined) token.attrs = [['class', align]];
      if (token.tag === 'th' && tokens[index + 1].content === '') {
        token.tag = 'td';
        tokens[index + 2].tag = 'td';
      }
      return renderer.renderToken(tokens, index, options);
    };
  }
}

/** Converts the inline styles of highlighted code to classes. */
export function createStyleClasses() {
  const classes = new Map();
  const toClass = (style) => {
    if (!classes.has(style)) classes.set(style, `c${classes.size.toString(36)}`);
    return classes.get(style);
  };
  const convert = (node) => {
    const style = node.properties?.style;
    if (style) {
      delete node.properties.style;
      node.properties.class = [node.properties.class, toClass(toText(style))].flat().filter(Boolean).join(' ');
    }
    for (const child of node.children ?? []) convert(child);
  };
  return {
    transformer: { name: 'style-classes', root: convert },
    toCss: () => [...classes].map(([style, name]) => `.${name}{${style}}\n`).join(''),
  };
}

const toText = (style) =>
  typeof style === 'string'
    ? style
    : Object.entries(style)
        .map(([name, value]) => `${name}:${value}`)
        .join(';');

/**
 * Corrects the accessibility of the navigation of the theme: an element with the role `button` must
 * not contain another button. Only the arrow of a section is a button.
 */
export function correctSidebar() {
  const changes = [
    [':role="itemRole"', ''],
    [':tabindex="item.items && 0"', ''],
    ['@click="onCaretClick"', '@click.stop="toggle()"'],
    ['@keydown.enter="onCaretClick"', '@keydown.enter.stop="toggle()" @keydown.space.stop.prevent="toggle()"'],
    ['aria-label="toggle section"', ':aria-label="`Pages of ${item.text}`" :aria-expanded="!collapsed"'],
  ];
  return {
    name: 'correct-sidebar',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/VPSidebarItem\.vue$/.test(id)) return null;
      return changes.reduce((text, [from, to]) => {
        if (!text.includes(from)) throw new Error(`VPSidebarItem.vue of VitePress has changed: ${from} is missing.`);
        return text.replace(from, to);
      }, code);
    },
  };
}
