import { FreshetError } from '@freshet/client';
import { render, type VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { NewPipeline } from './new-pipeline.ts';
import { PipelinePage } from './pipeline.ts';
import { Pipelines } from './pipelines.ts';
import { RunPage } from './run.ts';
import { SystemPage } from './system.ts';
import { getClient, getToken, html, Problem, setToken } from './ui.ts';

/** The pages by path. The path is the fragment of the URL. */
const PAGES: readonly (readonly [RegExp, (id: string) => VNode])[] = [
  [/^\/?$/, () => html`<${Pipelines} />`],
  [/^\/new$/, () => html`<${NewPipeline} />`],
  [/^\/system$/, () => html`<${SystemPage} />`],
  [/^\/pipelines\/([0-9a-f-]{36})$/, (id) => html`<${PipelinePage} key=${id} id=${id} />`],
  [/^\/runs\/([0-9a-f-]{36})$/, (id) => html`<${RunPage} key=${id} id=${id} />`],
];

const getPath = () => (location.hash.startsWith('#/') ? location.hash.slice(1) : '/');

function App(): VNode {
  const [path, setPath] = useState(getPath());
  const [signedIn, setSignedIn] = useState(getToken() !== null);
  useEffect(() => {
    const onHashChange = () => {
      if (location.hash === '#main') return;
      setPath(getPath());
      document.getElementById('main')?.focus();
    };
    addEventListener('hashchange', onHashChange);
    return () => removeEventListener('hashchange', onHashChange);
  }, []);
  if (!signedIn) return html`<${SignIn} done=${() => setSignedIn(true)} />`;
  const signOut = () => {
    setToken(null);
    setSignedIn(false);
  };
  const page = PAGES.flatMap(([pattern, show]) => {
    const found = pattern.exec(path);
    return found ? [show(found[1] ?? '')] : [];
  })[0];
  const link = (to: string, name: string) =>
    html`<a href=${`#${to}`} aria-current=${path === to ? 'page' : undefined}>${name}</a>`;
  return html`<header><strong>Freshet</strong>
      <nav aria-label="Pages">${link('/', 'Pipelines')}${link('/new', 'New pipeline')}${link('/system', 'System')}<a href="/docs">API</a></nav>
      <button type="button" onClick=${signOut}>Sign out</button></header>
    <main id="main" tabindex="-1">${page ?? html`<h1>Page not found</h1>`}</main>`;
}

function SignIn({ done }: { readonly done: () => void }): VNode {
  const [error, setError] = useState<Error | null>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setToken(String(new FormData(event.currentTarget as HTMLFormElement).get('token')).trim());
    getClient()
      .get('/v1/system')
      .then(done, (cause: Error) => {
        setToken(null);
        setError(
          cause instanceof FreshetError && cause.status === 401
            ? new Error('This token is unknown or has expired.')
            : cause,
        );
      });
  };
  return html`<main id="main"><h1>Freshet</h1>
    <form onSubmit=${submit}><label>API token <small>The token is stored only in this browser tab.</small><input name="token" type="password" autocomplete="off" required autofocus /></label>
      <button class="primary">Sign in</button></form><${Problem} error=${error} /></main>`;
}

render(html`<${App} />`, document.getElementById('app') as HTMLElement);
