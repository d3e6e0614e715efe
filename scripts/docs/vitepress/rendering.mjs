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

/** Changes of the templates of VitePress, by component. */
const TEMPLATE_CHANGES = {
  // An element with the role `button` must not contain another button. Only the arrow of a section
  // is a button.
  'VPSidebarItem.vue': [
    [':role="itemRole"', ''],
    [':tabindex="item.items && 0"', ''],
    ['@click="onCaretClick"', '@click.stop="toggle()"'],
    ['@keydown.enter="onCaretClick"', '@keydown.enter.stop="toggle()" @keydown.space.stop.prevent="toggle()"'],
    ['aria-label="toggle section"', `:aria-label="'Pages of ' + item.text" :aria-expanded="!collapsed"`],
  ],
  // The search is a dialog with a list of links. It has no other interactive roles, because they
  // must not contain links.
  'VPLocalSearchBox.vue': [
    ['role="button"', 'role="dialog"'],
    [`:aria-owns="results?.length ? 'localsearch-list' : undefined"`, ''],
    ['aria-expanded="true"', ''],
    ['aria-haspopup="listbox"', ''],
    [`:aria-activedescendant="selectedIndex > -1 ? ('localsearch-item-' + selectedIndex) : undefined"`, ''],
    ['aria-autocomplete="both"', ''],
    [`:role="results?.length ? 'listbox' : undefined"`, ''],
    [`:aria-selected="selectedIndex === index ? 'true' : 'false'"`, ''],
    ['role="option"', ''],
    [`:aria-label="[...p.titles, p.title].join(' > ')"`, ''],
    ['<kbd :aria-label', '<kbd role="img" :aria-label'],
  ],
};

/**
 * Corrects the accessibility of the theme. Fails if a new version of VitePress has changed a
 * template.
 */
export function correctTemplates() {
  return {
    name: 'correct-templates',
    enforce: 'pre',
    transform(code, id) {
      const name = id.split('/').at(-1);
      const changes = TEMPLATE_CHANGES[name];
      if (changes === undefined) return null;
      return changes.reduce((text, [from, to]) => {
        if (!text.includes(from)) throw new Error(`${name} of VitePress has changed: ${from} is missing.`);
        return text.replaceAll(from, () => to);
      }, code);
    },
  };
}
