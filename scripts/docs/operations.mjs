/**
 * Lists the operations of the API as Markdown, so that the search of the site finds them. The
 * reference itself is a page of the API.
 * @param {string} openapi the OpenAPI document.
 */
export function listOperations(openapi) {
  const { paths, tags } = JSON.parse(openapi);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
  );
  const sections = tags.map(({ name, description }) => {
    const rows = operations
      .filter((operation) => operation.tags[0] === name)
      .map(({ method, path, summary }) => `| \`${method} ${path}\` | ${summary} |`);
    return [
      `## ${name[0].toUpperCase()}${name.slice(1)}`,
      description,
      ['| Request | Operation |', '| --- | --- |', ...rows].join('\n'),
    ];
  });
  return [
    'The [API guide](api-guide.md) shows the operations in the order in which you need them. The API itself serves <a href="/docs/" target="_self">the reference</a> with the parameters, responses and code samples of each operation, and [the OpenAPI document](openapi.json).',
    ...sections.flat(),
    '',
  ].join('\n\n');
}
