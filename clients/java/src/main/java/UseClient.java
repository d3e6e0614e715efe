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

/** Uses the API by the client that openapi-generator has made. Ends with status 0 only if everything was as it should be. */
public final class UseClient {
  private static final URI WAREHOUSE = URI.create(System.getenv("WAREHOUSE_URL"));

  private interface Call {
    void run() throws ApiException;
  }

  public static void main(String[] args) throws Exception {
    ApiClient client = clientOf(System.getenv("FRESHET_TOKEN"));
    var credentials = new CredentialsApi(client);
    var destinations = new DestinationsApi(client);
    var pipelines = new PipelinesApi(client);
    var runs = new RunsApi(client);

    String idempotencyKey = UUID.randomUUID().toString();
    Credential key = credentials.createCredential(keyOf("java"), idempotencyKey);
    check(credentials.createCredential(keyOf("java"), idempotencyKey).equals(key), "the same key gives the same answer");
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
    check(destinations.getDestination(destination.getId()).equals(destination), "a destination is read back as it was made");
    check(destination.getSslCa() == null, "null stays null");

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
                .destinationSchema("by_java")
                .auditFrequencyDays(null)
                .putObjectsItem("conversations", new ObjectChoice().included(false)),
            null);
    Pipeline read = pipelines.getPipeline(pipeline.getId());
    check(!read.getObjects().get("conversations").getIncluded(), "what was chosen is read back");
    check(read.getAuditFrequencyDays() == null && read.getSource().getHistoricalSyncDays() == null, "null is sent as null");
    check(read.getRecordSpike() == null && read.getMonthlyQuota() == null, "what was not said is null");
    check(read.getName().equals("java") && read.getDestinationId().equals(destination.getId()), "a pipeline is read back as it was made");

    Run run = runs.startRun(pipeline.getId(), null, null, new RunInput());
    while (run.getFinishedAt() == null) run = runs.getRun(run.getId(), 30);
    check(run.getStatus() == RunStatus.SUCCEEDED, "the run has succeeded: " + run);

    Set<UUID> seen = new HashSet<>();
    String cursor = null;
    int pages = 0;
    do {
      CredentialList page = credentials.listCredentials(1, cursor, null, null);
      for (Credential credential : page.getData()) check(seen.add(credential.getId()), "no row comes twice");
      cursor = page.getNextCursor();
      pages++;
    } while (cursor != null);
    check(pages > 1 && seen.contains(key.getId()) && seen.contains(password.getId()), "all pages are read");

    UUID pipelineId = pipeline.getId();
    UUID runId = run.getId();
    refused(409, "conflict", () -> credentials.createCredential(keyOf("java"), null));
    refused(404, "not_found", () -> runs.getRun(UUID.randomUUID(), null));
    refused(400, "invalid_input", () -> credentials.createCredential(keyOf(""), null));
    refused(422, "idempotency_key_reused", () -> credentials.createCredential(keyOf("other"), idempotencyKey));
    refused(412, "precondition_failed", () -> pipelines.changePipeline(pipelineId, new PipelineChange().frequencyMinutes(60), "\"999\"", null));
    refused(401, "unauthenticated", () -> new RunsApi(clientOf("frt_nobody")).getRun(runId, null));
    System.out.println("The Java client did all that it should.");
  }

  private static ApiClient clientOf(String token) {
    var client = new ApiClient();
    client.updateBaseUri(System.getenv("FRESHET_URL"));
    client.setReadTimeout(Duration.ofSeconds(90));
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
    return client;
  }

  private static CredentialInput keyOf(String name) {
    return new CredentialInput(
        new FreshdeskApiKeyInput().name(name).type(FreshdeskApiKeyInput.TypeEnum.FRESHDESK_API_KEY).apiKey("demo-admin-key"));
  }

  private static void refused(int status, String code, Call call) {
    try {
      call.run();
    } catch (ApiException error) {
      check(error.getCode() == status && error.getResponseBody().contains("\"" + code + "\""), "a " + status + ", not " + error.getMessage());
      return;
    }
    check(false, "a " + status + " was expected");
  }

  private static void check(boolean ok, String what) {
    if (!ok) throw new IllegalStateException(what);
  }
}
