package io.shardbus.gateway;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import java.util.EnumSet;
import java.util.Set;
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

  Route patch(String path, Role... roles) {
    return route(HttpMethod.PATCH, path, roles);
  }

  Route delete(String path, Role... roles) {
    return route(HttpMethod.DELETE, path, roles);
  }

  private Route route(HttpMethod method, String path, Role... roles) {
    return router.route(method, path).handler(access.only(EnumSet.copyOf(Set.of(roles))));
  }

  /** A route for everyone. It shows the health and the form of the server, not its events. */
  Route open(String path) {
    return router.get(path);
  }

  /** Answers unknown paths and methods, if the token has any role. */
  void close() {
    Set<Role> any = EnumSet.allOf(Role.class);
    router.errorHandler(
        404,
        context -> {
          if (access.allows(context, any)) {
            Problem.send(context.response(), 404, "nothing at " + context.request().path());
          }
        });
    router.errorHandler(
        405,
        context -> {
          if (access.allows(context, any)) {
            HttpServerRequest request = context.request();
            request.response().putHeader(HttpHeaders.ALLOW, methods(context.normalizedPath()));
            Problem.refuse(request, 405, request.method() + " is not allowed at " + request.path());
          }
        });
  }

  private String methods(String path) {
    return router.getRoutes().stream()
        .filter(route -> route.getPath() != null && route.methods() != null)
        .filter(route -> path.matches(route.getPath().replaceAll(":\\w+", "[^/]+") + "/?"))
        .flatMap(route -> route.methods().stream())
        .map(HttpMethod::name)
        .sorted()
        .distinct()
        .collect(Collectors.joining(", "));
  }
}
