import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { ControlStore } from '@freshet/control-store';
import type { Metrics, OutboundPolicy } from '@freshet/runtime';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';

/** The Fastify instance that plugins and routes are registered on. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** The minimum and the default of a pipeline's `frequency_minutes`. */
export interface Frequency {
  /** The shortest interval between runs that this deployment allows. */
  readonly min: number;
  /** The interval of a pipeline that is created without `frequency_minutes`. */
  readonly default: number;
}

/** The values of a deployment that does not configure them. */
export const DEFAULT_FREQUENCY: Frequency = { min: 30, default: 360 };

/** The documentation site that the API serves at `/help/`. */
export interface Help {
  /** The folder of the built site. The folder may not exist. */
  readonly folder: string;
  /**
   * Starts the build of the site, unless it has been started. Absent: the site is built before the
   * process starts.
   */
  readonly build?: () => 'building' | 'failed';
}

/** The dependencies of routes. The process that serves the routes provides them. */
export interface Deps {
  readonly store: ControlStore;
  /**
   * Replaces the origins of Freshdesk accounts, to send requests to a simulator or a proxy. Null:
   * requests are sent to Freshdesk.
   */
  readonly originTemplate: string | null;
  /** Whether the process is shutting down. */
  readonly isDraining: () => boolean;
  /** Policy for outbound connections: the addresses that this deployment may connect to. */
  readonly outboundPolicy: OutboundPolicy;
  /** The number of requests that each token may send to this process per minute. */
  readonly requestsPerMinute: number;
  /** Absent: `DEFAULT_FREQUENCY`. */
  readonly frequency?: Frequency;
  /** This process's metrics. */
  readonly metrics: Metrics;
  /**
   * Comma-separated addresses and CIDR ranges of proxies whose `X-Forwarded-For` is trusted. Empty:
   * no proxy is trusted.
   */
  readonly trustedProxies?: string;
  readonly help: Help;
  /** The address of a trace, with `{trace_id}`. Null or absent: runs do not link to traces. */
  readonly traceUrl?: string | null;
  readonly logger?: FastifyBaseLogger;
}
