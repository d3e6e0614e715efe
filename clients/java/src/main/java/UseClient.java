import dev.freshet.ApiClient;
import dev.freshet.ApiException;
import dev.freshet.api.CredentialsApi;
import dev.freshet.api.DestinationsApi;
import dev.freshet.api.PipelinesApi;
import dev.freshet.api.RunsApi;
import dev.freshet.model.*;
import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/** Uses the API through the client that openapi-generator generated. Exits with status 0 only if every check passes. */
public final class UseClient {
  private static final URI WAREHOUSE = URI.create(System.getenv("WAREHOUSE_URL"));

  private interface Request {
    void run() throws ApiException;
  }

  public static void main(String[] args) throws Exception {
    ApiClient client = createClient(System.getenv("FRESHET_TOKEN"));
    var credentials = new CredentialsApi(client);
    var destinations = new DestinationsApi(client);
    var pipelines = new PipelinesApi(client);
    var runs = new RunsApi(client);

    String idempotencyKey = UUID.randomUUID().toString();
    Credential key = credentials.createCredential(buildKeyInput("java"), idempotencyKey);
    check(credentials.createCredential(buildKeyInput("java"), idempotencyKey).equals(key), "the same idempotency key returned a different response");
    String[] login = WAREHOUSE.getUserInfo().split(":", 2);
    Credential password =
        credentials.createCredential(
            new CredentialInput(
                new PostgresPasswordInput().name("java password").type(PostgresPasswordInput.TypeEnum.POSTGRES_PASSWORD).password(login[1])),
            null);

    Destination destination =
        destinations.createDestination(
            new DestinationInput()
                .name("java")
                .type(DestinationInput.TypeEnum.POSTGRES)
                .host(WAREHOUSE.getHost())
                .port(WAREHOUSE.getPort())
                .database(WAREHOUSE.getPath().substring(1))
                .username(login[0])
                .credentialId(password.getId())
                .sslMode(DestinationInput.SslModeEnum.DISABLE),
            null);
    check(destinations.getDestination(destination.getId()).equals(destination), "the destination differs from the response to its creation");
    check(destination.getSslCa() == null, "ssl_ca is not null");

    Pipeline pipeline =
        pipelines.createPipeline(
            new PipelineInput()
                .name("java")
                .source(
                    new PipelineSourceInput()
                        .type(PipelineSourceInput.TypeEnum.FRESHDESK)
                        .subdomain("demo")
                        .credentialId(key.getId())
                        .historicalSyncDays(null))
                .destinationId(destination.getId())
                .destinationSchema("java")
                .auditFrequencyDays(null)
                .putObjectsItem("conversations", new ObjectSettings().included(false)),
            null);
    Pipeline read = pipelines.getPipeline(pipeline.getId());
    check(!read.getObjects().get("conversations").getIncluded(), "the object selection differs from the input");
    check(read.getAuditFrequencyDays() == null && read.getSource().getHistoricalSyncDays() == null, "explicit nulls were not preserved");
    check(read.getRecordSpike() == null && read.getMonthlyQuota() == null, "omitted fields are not null");
    check(read.getName().equals("java") && read.getDestinationId().equals(destination.getId()), "the pipeline differs from the input");

    Run run = runs.startRun(pipeline.getId(), null, null, new RunInput());
    while (run.getFinishedAt() == null) run = runs.getRun(run.getId(), 30);
    check(run.getStatus() == RunStatus.SUCCEEDED, "the run did not succeed: " + run);

    Set<UUID> seenIds = new HashSet<>();
    String cursor = null;
    int pages = 0;
    do {
      CredentialList page = credentials.listCredentials(1, cursor, null, null);
      for (Credential credential : page.getData()) check(seenIds.add(credential.getId()), "the list returned an item twice");
      cursor = page.getNextCursor();
      pages++;
    } while (cursor != null);
    check(pages > 1 && seenIds.contains(key.getId()) && seenIds.contains(password.getId()), "the list lacks a created credential");

    UUID pipelineId = pipeline.getId();
    UUID runId = run.getId();
    expectProblem(409, "conflict", () -> credentials.createCredential(buildKeyInput("java"), null));
    expectProblem(404, "not_found", () -> runs.getRun(UUID.randomUUID(), null));
    expectProblem(400, "invalid_input", () -> credentials.createCredential(buildKeyInput(""), null));
    expectProblem(422, "idempotency_key_reused", () -> credentials.createCredential(buildKeyInput("other"), idempotencyKey));
    expectProblem(412, "precondition_failed", () -> pipelines.updatePipeline(pipelineId, new PipelineUpdate().frequencyMinutes(60), "\"999\"", null));
    expectProblem(401, "unauthenticated", () -> new RunsApi(createClient("frt_unknown")).getRun(runId, null));
    System.out.println("The Java client passed all checks.");
  }

  private static ApiClient createClient(String token) {
    var client = new ApiClient();
    client.updateBaseUri(System.getenv("FRESHET_URL"));
    client.setReadTimeout(Duration.ofSeconds(90));
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
    return client;
  }

  private static CredentialInput buildKeyInput(String name) {
    return new CredentialInput(
        new FreshdeskApiKeyInput().name(name).type(FreshdeskApiKeyInput.TypeEnum.FRESHDESK_API_KEY).apiKey("demo-admin-key"));
  }

  private static void expectProblem(int status, String code, Request request) {
    try {
      request.run();
    } catch (ApiException error) {
      check(error.getCode() == status && error.getResponseBody().contains("\"" + code + "\""), "expected status " + status + ", got " + error.getMessage());
      return;
    }
    check(false, "expected status " + status);
  }

  private static void check(boolean ok, String message) {
    if (!ok) throw new IllegalStateException(message);
  }
}
