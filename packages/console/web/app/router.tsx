import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { getToken } from '../api/client.ts';
import { pipelineActivityQuery } from '../api/queries.ts';
import { queryClient } from '../api/query-client.ts';
import { Loading } from '../components/states.tsx';
import { parseDataSearch } from '../features/data/search.ts';
import { parseReportSearch } from '../features/reports/report-search.ts';
import { NotFound, RouteError } from './fallbacks.tsx';
import { Shell } from './shell.tsx';

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: RouteError });

const pipelinesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  // Fetches the first page of the list while the code of the page is loaded.
  loader: () => {
    if (getToken() !== null) void queryClient.prefetchQuery(pipelineActivityQuery({}, null));
  },
  component: lazyRouteComponent(() => import('../features/pipelines/pipelines-page.tsx'), 'PipelinesPage'),
});
const wizardRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/pipelines/new',
  component: lazyRouteComponent(() => import('../features/wizard/wizard-page.tsx'), 'WizardPage'),
});
const pipelineRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/pipelines/$id',
  component: lazyRouteComponent(() => import('../features/pipeline/pipeline-layout.tsx'), 'PipelineLayout'),
});
const pipelineTabs = [
  createRoute({
    getParentRoute: () => pipelineRoute,
    path: '/',
    component: lazyRouteComponent(() => import('../features/pipeline/overview-tab.tsx'), 'OverviewTab'),
  }),
  createRoute({
    getParentRoute: () => pipelineRoute,
    path: '/objects',
    component: lazyRouteComponent(() => import('../features/pipeline/objects-tab.tsx'), 'ObjectsTab'),
  }),
  createRoute({
    getParentRoute: () => pipelineRoute,
    path: '/data',
    component: lazyRouteComponent(() => import('../features/data/data-tab.tsx'), 'DataTab'),
    validateSearch: parseDataSearch,
  }),
  createRoute({
    getParentRoute: () => pipelineRoute,
    path: '/runs',
    component: lazyRouteComponent(() => import('../features/pipeline/runs-tab.tsx'), 'RunsTab'),
  }),
  createRoute({
    getParentRoute: () => pipelineRoute,
    path: '/reports',
    validateSearch: parseReportSearch,
    component: lazyRouteComponent(() => import('../features/reports/reports-tab.tsx'), 'ReportsTab'),
  }),
  createRoute({
    getParentRoute: () => pipelineRoute,
    path: '/failures',
    component: lazyRouteComponent(() => import('../features/pipeline/failures-tab.tsx'), 'FailuresTab'),
  }),
  createRoute({
    getParentRoute: () => pipelineRoute,
    path: '/settings',
    component: lazyRouteComponent(() => import('../features/pipeline/settings-tab.tsx'), 'SettingsTab'),
  }),
];
const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/runs/$id',
  component: lazyRouteComponent(() => import('../features/run/run-page.tsx'), 'RunPage'),
});
const otherRoutes = [
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/reports',
    validateSearch: parseReportSearch,
    component: lazyRouteComponent(() => import('../features/reports/reports-page.tsx'), 'ReportsPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/usage',
    component: lazyRouteComponent(() => import('../features/usage/usage-page.tsx'), 'UsagePage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/credentials',
    component: lazyRouteComponent(() => import('../features/connections/credentials-page.tsx'), 'CredentialsPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/destinations',
    component: lazyRouteComponent(() => import('../features/connections/destinations-page.tsx'), 'DestinationsPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/webhooks',
    component: lazyRouteComponent(() => import('../features/webhooks/webhooks-page.tsx'), 'WebhooksPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/tokens',
    component: lazyRouteComponent(() => import('../features/tokens/tokens-page.tsx'), 'TokensPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/audit-log',
    component: lazyRouteComponent(() => import('../features/audit-log/audit-log-page.tsx'), 'AuditLogPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/system',
    component: lazyRouteComponent(() => import('../features/system/system-page.tsx'), 'SystemPage'),
  }),
  createRoute({
    getParentRoute: () => rootRoute,
    path: '/guides',
    component: lazyRouteComponent(() => import('../features/guides/guides-page.tsx'), 'GuidesPage'),
  }),
];

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    pipelinesRoute,
    wizardRoute,
    pipelineRoute.addChildren(pipelineTabs),
    runRoute,
    ...otherRoutes,
  ]),
  basepath: '/console',
  defaultPendingComponent: Loading,
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
