// A client by com.microsoft.signalr that does what it is told: a command a line on stdin, what happened a line on stdout.
// What the commands are is written in ../puppets.md.

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.microsoft.signalr.HttpHubConnectionBuilder;
import com.microsoft.signalr.HubConnection;
import com.microsoft.signalr.HubConnectionBuilder;
import com.microsoft.signalr.TransportEnum;
import io.reactivex.rxjava3.core.Single;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;

public final class Puppet {
    private static final Duration REST_TIMEOUT = Duration.ofSeconds(10);
    private static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final HttpClient REST = HttpClient.newHttpClient();

    private JsonObject account;
    private HubConnection hub;

    public static void main(String[] arguments) throws Exception {
        Puppet puppet = new Puppet();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            puppet.obey(JsonParser.parseString(line).getAsJsonObject());
        }
        System.exit(0); // its threads may be waiting for a server
    }

    private void obey(JsonObject command) {
        try {
            switch (command.get("do").getAsString()) {
                case "open" -> open(command);
                case "invoke" -> invoke(command);
                case "account" -> command.entrySet().forEach(entry -> account.add(entry.getKey(), entry.getValue()));
                case "stop" -> hub.stop().subscribe();
                default -> throw new IllegalArgumentException("no such command: " + command.get("do"));
            }
        } catch (Exception error) {
            say("failed", "error", text(error));
        }
    }

    private void open(JsonObject command) throws Exception {
        account = command;
        String endpoint = command.has("hub") ? command.get("hub").getAsString() : rteToken().get("WSSEndpoint").getAsString();
        HttpHubConnectionBuilder builder = HubConnectionBuilder.create(endpoint)
                .withAccessTokenProvider(Single.fromCallable(this::token))
                .withTransport(transport(command))
                .shouldSkipNegotiate(command.has("skip") && command.get("skip").getAsBoolean());
        hub = builder.build();
        hub.on("MessageReceived", value -> say("message", "value", value), JsonElement.class);
        hub.onClosed(error -> say("closed", "error", text(error)));
        hub.start().subscribe(() -> say("open", null, null), error -> say("failed", "error", text(error)));
    }

    private static TransportEnum transport(JsonObject command) {
        return command.has("transport") && command.get("transport").getAsString().equals("LongPolling")
                ? TransportEnum.LONG_POLLING
                : TransportEnum.WEBSOCKETS;
    }

    private void invoke(JsonObject command) {
        int number = command.get("number").getAsInt();
        JsonArray values = command.get("arguments").getAsJsonArray();
        Object[] arguments = new Object[values.size()];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = values.get(i);
        }
        hub.invoke(JsonElement.class, command.get("method").getAsString(), arguments).subscribe(
                value -> answer("result", number, "value", value),
                error -> answer("error", number, "error", text(error)));
    }

    private String token() throws Exception {
        return account.has("token") ? account.get("token").getAsString() : rteToken().get("Token").getAsString();
    }

    private JsonObject rteToken() throws Exception {
        String pair = account.get("user").getAsString() + ":" + account.get("secret").getAsString();
        String basic = Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
        HttpRequest request = HttpRequest.newBuilder(URI.create(account.get("api").getAsString() + "/token/me/rte/"))
                .header("Authorization", "Basic " + basic)
                .timeout(REST_TIMEOUT)
                .build();
        HttpResponse<String> response = REST.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException("the REST token was refused with " + response.statusCode());
        }
        return JsonParser.parseString(response.body()).getAsJsonObject();
    }

    private static JsonElement text(Throwable error) {
        return error == null ? JsonNull.INSTANCE : new JsonPrimitive(error.getClass().getSimpleName() + ": " + error.getMessage());
    }

    private static void say(String said, String name, JsonElement value) {
        JsonObject fact = new JsonObject();
        fact.addProperty("said", said);
        if (name != null) {
            fact.add(name, value);
        }
        print(fact);
    }

    private static void answer(String said, int number, String name, JsonElement value) {
        JsonObject fact = new JsonObject();
        fact.addProperty("said", said);
        fact.addProperty("number", number);
        fact.add(name, value);
        print(fact);
    }

    private static synchronized void print(JsonObject fact) {
        OUT.println(GSON.toJson(fact));
    }
}
