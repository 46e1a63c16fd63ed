package io.shardbus.app;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.SplittableRandom;

/**
 * Makes up the orders and clicks of a shop, as one JSON object each. Each has an {@code id} of its
 * own and a {@code user.id}. The same seed makes the same events. Not safe for threads.
 */
final class ShopEvents {

  private static final String[] PRODUCTS = {
    "desk-lamp", "notebook", "water-bottle", "backpack", "headphones", "keyboard", "coffee-mug"
  };
  private static final String[] PAGES = {"/", "/search", "/cart", "/checkout", "/account"};
  private static final String[] COUNTRIES = {"DE", "FR", "GB", "JP", "US", "BR", "IN"};
  private static final int USERS = 10_000;

  private final SplittableRandom random;
  private final String prefix;
  private long number;

  ShopEvents(long seed) {
    random = new SplittableRandom(seed);
    prefix = Long.toString(seed, Character.MAX_RADIX) + "-";
  }

  String next() {
    JsonObject user =
        new JsonObject().put("id", "u" + random.nextInt(USERS)).put("country", any(COUNTRIES));
    JsonObject event = new JsonObject().put("id", prefix + number++).put("user", user);
    return (random.nextInt(4) == 0 ? order(event) : click(event)).encode();
  }

  private String any(String[] of) {
    return of[random.nextInt(of.length)];
  }

  private JsonObject order(JsonObject event) {
    JsonArray items = new JsonArray();
    long cents = 0;
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      int price = 100 * random.nextInt(5, 200) - 1;
      int quantity = random.nextInt(1, 4);
      cents += (long) price * quantity;
      items.add(
          new JsonObject()
              .put("product", any(PRODUCTS))
              .put("quantity", quantity)
              .put("price", price / 100.0));
    }
    return event.put("type", "order").put("items", items).put("total", cents / 100.0);
  }

  private JsonObject click(JsonObject event) {
    String page = random.nextBoolean() ? "/products/" + any(PRODUCTS) : any(PAGES);
    return event.put("type", "click").put("page", page).put("millis", random.nextInt(50, 60_000));
  }
}
