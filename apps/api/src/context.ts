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

/** Limits of a pipeline's `frequency_minutes`, in minutes. */
export interface Frequency {
  /** The shortest interval between runs that this deployment allows. */
  readonly min: number;
  /** The interval of a pipeline that is created without one. */
  readonly default: number;
}

/** The limits of a deployment that does not configure its own. */
export const DEFAULT_FREQUENCY: Frequency = { min: 30, default: 360 };

/** Everything that routes need from the process that hosts them. */
export interface Deps {
  readonly store: ControlStore;
  /**
   * Replaces the accounts' own origins, for a simulator or a proxy. Null: requests go to Freshdesk.
   */
  readonly originTemplate: string | null;
  /** Whether the process is shutting down. */
  readonly isDraining: () => boolean;
  /** Policy for outbound connections: the addresses that this deployment may connect to. */
  readonly outboundPolicy: OutboundPolicy;
  /** Requests that each token may send to this process in a minute. */
  readonly requestsPerMinute: number;
  /** Absent: `DEFAULT_FREQUENCY`. */
  readonly frequency?: Frequency;
  /** This process's metrics. */
  readonly metrics: Metrics;
  /**
   * Comma-separated addresses and CIDR ranges of proxies whose `X-Forwarded-For` is trusted. Empty:
   * none.
   */
  readonly trustedProxies?: string;
  readonly logger?: FastifyBaseLogger;
}
