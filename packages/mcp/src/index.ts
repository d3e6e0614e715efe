/**
 * The MCP server of Freshet: tools and resources with which assistants use a deployment. All tools
 * call the HTTP API with the token of the assistant's user. The API therefore enforces permissions,
 * limits and the audit log.
 */
export { createHttpHandler, type HttpHandler } from './http.ts';
export { serveStdio } from './stdio.ts';
