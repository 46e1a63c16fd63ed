package io.shardbus.gateway;

import io.shardbus.net.Query;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.SecurityPolicyHandler;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Makes the routes. Each route names the roles that may use it, and checks them first. The route
 * decides, not the path, so it does not matter how the path was written.
 */
final class Routes {

  private final Router router;
  private final Access access;

  Routes(Router router, Access access) {
    this.router = router;
    this.access = access;
  }

  Route get(String path, Role... roles) {
    return route(HttpMethod.GET, path, roles);
  }

  Route post(String path, Role... roles) {
    return route(HttpMethod.POST, path, roles);
  }

  /** Also for requests with a signature, which the route checks. */
  Route postSigned(String path, Role... roles) {
    return router.post(path).handler(access.onlyOrSigned(EnumSet.copyOf(Set.of(roles))));
  }

  Route patch(String path, Role... roles) {
    return route(HttpMethod.PATCH, path, roles);
  }

  Route delete(String path, Role... roles) {
    return route(HttpMethod.DELETE, path, roles);
  }

  /** Checks that a request has no other parameters than these, which would not do what is meant. */
  static SecurityPolicyHandler only(String... names) {
    List<String> allowed = List.of(names);
    return context -> {
      HttpServerRequest request = context.request();
      try {
        if (request.query() != null) {
          List<String> given =
              request.params().entries().stream()
                  .filter(each -> !each.getValue().equals(context.pathParam(each.getKey())))
                  .map(Map.Entry::getKey)
                  .toList();
          Query.requireKnown(given, allowed);
        }
        context.next();
      } catch (IllegalArgumentException e) {
        Problem.refuse(request, 400, String.valueOf(e.getMessage()));
      }
    };
  }

  private Route route(HttpMethod method, String path, Role... roles) {
    return router.route(method, path).handler(access.only(EnumSet.copyOf(Set.of(roles))));
  }

  /** A route for everyone. It shows the health and the form of the server, not its events. */
  Route open(String path) {
    return router.get(path);
  }

  /** The path below the one at which the router is mounted, if it is. */
  static String path(RoutingContext context) {
    String path = context.normalizedPath();
    String mountPoint = mountPoint(context);
    return path.startsWith(mountPoint) ? path.substring(mountPoint.length()) : path;
  }

  /** Where the router is mounted, without a slash at the end; empty if it is not. */
  static String mountPoint(RoutingContext context) {
    String mountPoint = context.mountPoint();
    return mountPoint == null ? "" : mountPoint.replaceFirst("/$", "");
  }

  /** Answers unknown paths and methods, if the token has any role. */
  void close() {
    Set<Role> any = EnumSet.allOf(Role.class);
    router
        .route()
        .handler(
            context -> {
              if (access.allows(context, any)) {
                unknown(context);
              }
            });
  }

  private void unknown(RoutingContext context) {
    HttpServerRequest request = context.request();
    Set<String> methods = methods(path(context));
    if (methods.isEmpty() || methods.contains(request.method().name())) {
      Problem.send(request.response(), 404, "nothing at " + request.path());
      return;
    }
    request.response().putHeader(HttpHeaders.ALLOW, String.join(", ", methods));
    Problem.refuse(request, 405, request.method() + " is not allowed at " + request.path());
  }

  private Set<String> methods(String path) {
    return router.getRoutes().stream()
        .filter(route -> route.getPath() != null && route.methods() != null)
        .filter(route -> path.matches(pattern(route.getPath()) + "/?"))
        .flatMap(route -> route.methods().stream())
        .map(HttpMethod::name)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String pattern(String path) {
    return path.replaceAll(":\\w+", "[^/]+").replace("*", ".*");
  }
}
