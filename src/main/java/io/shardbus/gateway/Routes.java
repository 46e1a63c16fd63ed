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
 * Makes the routes. Each says who may use it and asks that first, however its path was written:
 * what decides is the route that was found, not the path.
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

  /** For everyone: what it tells is about the server's health and form, not about its events. */
  Route open(String path) {
    return router.get(path);
  }

  /** Answers what is asked for and not there, to those who may ask for anything. */
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
