import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { EXHAUSTIVE_TESTS } from './exhaustive-tests.mjs';

/** The projects in the order in which they run. The files of `e2e` take the longest. */
const PROJECTS = ['e2e', 'unit', 'db'];
/** Files that take longer than their sizes suggest. */
const LONG_FILES = [
  ...EXHAUSTIVE_TESTS,
  'standalone.e2e.test.ts',
  'standalone-settings.e2e.test.ts',
  'worker-crashes.e2e.test.ts',
  'chaos.e2e.test.ts',
  'crash.e2e.test.ts',
  'commit-points.e2e.test.ts',
  'console-accessibility.browser.test.ts',
  'console-overlays.browser.test.ts',
  'console.browser.test.ts',
];

/**
 * Starts the files that take the longest first, so that no core is idle at the end of a run. Vitest
 * records the durations of a run for the next run. Without such a record, long files are the ones
 * of `LONG_FILES` and the largest ones.
 */
export default class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => getRank(a) - getRank(b));
  }
}

function getRank({ project, moduleId }: TestSpecification): number {
  const isLong = LONG_FILES.some((name) => moduleId.endsWith(`/${name}`));
  return PROJECTS.indexOf(project.name) * 2 + (isLong ? 0 : 1);
}
