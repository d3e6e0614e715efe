/** The time after which a browser has certainly read the file. */
const RELEASE_AFTER_MS = 60_000;

/** Saves a file that was created in the browser. */
export function download(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), RELEASE_AFTER_MS);
}
