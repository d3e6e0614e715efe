import {
  Button,
  type CSSVariablesResolver,
  createTheme,
  type MantineColorsTuple,
  Menu,
  Modal,
  Tooltip,
} from '@mantine/core';

const accent: MantineColorsTuple = [
  '#e6f4f1',
  '#cfe7e2',
  '#a4d4cc',
  '#74bfb3',
  '#4daa9d',
  '#2c9386',
  '#187f74',
  '#0f766e',
  '#0b5f58',
  '#074b46',
];

/** Gray with a slight blue tint. Shades 6 and darker have a sufficient contrast on white. */
const gray: MantineColorsTuple = [
  '#f7f8fa',
  '#eef0f4',
  '#e3e6ec',
  '#d3d8e0',
  '#b6bdc9',
  '#8b93a3',
  '#5f6878',
  '#4a5262',
  '#333b4a',
  '#1b2230',
];

export const theme = createTheme({
  colors: { accent, gray },
  primaryColor: 'accent',
  primaryShade: 7,
  autoContrast: true,
  luminanceThreshold: 0.27,
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  lineHeights: { md: '1.5' },
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '22px', lineHeight: '1.3' },
      h2: { fontSize: '15px', lineHeight: '1.4' },
      h3: { fontSize: '14px', lineHeight: '1.4' },
    },
  },
  respectReducedMotion: true,
  components: {
    // The header of a dialog is an element that would be the banner of the page.
    ModalHeader: { defaultProps: { role: 'none' } },
    DrawerHeader: { defaultProps: { role: 'none' } },
    // The placeholder is a focusable element in the menu, but is not a menu item.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
    Button: Button.extend({ defaultProps: { size: 'sm' } }),
    Modal: Modal.extend({ defaultProps: { centered: true, closeButtonProps: { 'aria-label': 'Close' } } }),
    Tooltip: Tooltip.extend({
      defaultProps: { withArrow: true, multiline: true, maw: 320, events: { hover: true, focus: true, touch: true } },
    }),
  },
});

/** Colors of texts with a sufficient contrast in both color schemes. */
export const resolveCssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#5b6473',
    '--mantine-color-placeholder': '#697283',
    '--mantine-color-error': '#b42318',
    '--mantine-color-text': '#161d2b',
    '--mantine-color-anchor': '#0f766e',
  },
  dark: {
    '--mantine-color-dimmed': '#a5adba',
    '--mantine-color-placeholder': '#98a1b0',
    '--mantine-color-error': '#ff8f85',
    '--mantine-color-anchor': '#5fc7b8',
  },
});
